// Money is typed and read in yuan, and kept as whole fen. No floating point on the way.

/** Yuan with more digits than this are no household's. */
const YUAN_DIGITS_MAX = 11;

/** What was typed: fen, nothing, or no sum of money. */
export type Typed = { fen: number } | { fen: null } | { fault: "money" };

/** Full-width digits and signs, as a Chinese keyboard gives them, in their plain form. */
function plainSigns(text: string): string {
  return text.replace(/[！-～]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0));
}

/** Reads `1200`, `1,200.50`, `１２００元`. */
export function parseYuan(text: string): Typed {
  const plain = plainSigns(text)
    .replace(/[\s,\u3000]/g, "")
    .replace(/^[¥￥]/, "")
    .replace(/元$/, "")
    .replace("。", ".");
  if (plain === "") return { fen: null };
  const found = /^(\d+)(?:\.(\d{0,2}))?$/.exec(plain);
  if (!found) return { fault: "money" };
  const whole = (found[1] ?? "").replace(/^0+(?=\d)/, "");
  if (whole.length > YUAN_DIGITS_MAX) return { fault: "money" };
  return { fen: Number(whole) * 100 + Number((found[2] ?? "").padEnd(2, "0")) };
}

/** Fen as it is typed: `1200`, `1200.5` is `1200.50`. */
export function typedYuan(fen: unknown): string {
  if (typeof fen !== "number" || !Number.isSafeInteger(fen)) return "";
  const size = Math.abs(fen);
  const rest = size % 100;
  const whole = String(Math.trunc(size / 100));
  return (fen < 0 ? "-" : "") + (rest === 0 ? whole : `${whole}.${String(rest).padStart(2, "0")}`);
}

/** Fen as it is read: `1,200` or `1,200.50`. */
export function shownYuan(fen: unknown): string {
  const typed = typedYuan(fen);
  const [whole = "", rest] = typed.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest === undefined ? grouped : `${grouped}.${rest}`;
}
