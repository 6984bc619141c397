// What went wrong, in words that help: the rule's own, or those for a code.

import type { Language } from "./format";
import type { Told } from "./session";
import { said, type Said } from "./case-wire";

const SAID: Record<string, Said> = {
  "network.unreachable": {
    zh: "连不上服务。请看看手机有没有信号，然后再试一次。",
    en: "The server cannot be reached. Check the network and try again.",
  },
  "session.missing": { zh: "您还没有登录，或者登录已经过期，请重新登录。", en: "Please sign in; you are not signed in, or too long ago." },
  "session.password": { zh: "请先把初始密码改掉。", en: "Change your first password before you go on." },
  "right.missing": { zh: "您的账号不能做这件事。", en: "Your account may not do this." },
  "request.forged": { zh: "这个请求不是从本页面发出的，请刷新页面再试。", en: "The request did not come from this page; load it again." },
  "case.stale": {
    zh: "这件事刚刚被别人处理过。请刷新，看过新的内容再继续。",
    en: "Somebody changed this just now. Load it again before you go on.",
  },
  "case.missing": { zh: "没有找到这件事，或者它不归您看。", en: "There is no such case, or it is not yours to see." },
  "case.form": { zh: "有几处没填好，已经在下面标出来了。", en: "Some answers need a change; they are marked below." },
  "case.reused": { zh: "这一步已经办过了，请刷新看看。", en: "This was done before; load it again." },
  "request.content": {
    zh: "这种文件不能上传。请用照片（JPG、PNG、WebP）、PDF 或者 WAV 录音。",
    en: "Files of this kind are not taken. Use a photo (JPG, PNG, WebP), a PDF or a WAV recording.",
  },
  "request.field": { zh: "有一项填得不对，请再看一遍。", en: "A field is not as it should be; look again." },
  "request.too_large": { zh: "太大了，最多 20 MB。", en: "Too large; the limit is 20 MB." },
  "session.wrong": { zh: "账号或密码不对，请再看一遍。", en: "The account or the password is wrong." },
  "session.locked": { zh: "输错次数太多，请等 15 分钟再试。", en: "Too many failures; wait 15 minutes." },
  "oidc.off": { zh: "这里没有开通用三晋通登录。", en: "Sign-in through the provincial app is off." },
  "oidc.provider": { zh: "三晋通现在连不上，请过一会儿再试。", en: "The provincial app cannot be reached now." },
  "oidc.refused": { zh: "三晋通没有让您登录。", en: "The provincial app did not sign you in." },
  "oidc.state": { zh: "登录等得太久了，请再点一次。", en: "Signing in took too long; try again." },
  "oidc.token": { zh: "三晋通给的信息不对，不能登录。", en: "What the provincial app told is not to be trusted." },
  "server.deadline": { zh: "等得太久了，请再试一次。", en: "It took too long; try again." },
  "server.busy": { zh: "现在办事的人多，请过一会儿再试。", en: "The server is busy; try again in a moment." },
  "page.fault": { zh: "页面出了问题，请刷新再试。", en: "The page failed; load it again." },
  "http.413": { zh: "文件太大了，最多 20 MB。", en: "The file is too large; the limit is 20 MB." },
  "http.404": { zh: "这里没有您要找的内容。", en: "There is nothing here." },
};

/** The sentence to show for a problem. */
export function explain(problem: Told, language: Language): string {
  if (problem.refusal) return said(problem.refusal.message, language);
  const known = SAID[problem.code];
  if (known) return said(known, language);
  const byStatus = SAID[`http.${problem.status}`];
  if (byStatus) return said(byStatus, language);
  if (problem.status >= 500) {
    const sorry = { zh: "服务出了问题，请过一会儿再试。", en: "The server failed; try again later." };
    return said(sorry, language);
  }
  return problem.title;
}
