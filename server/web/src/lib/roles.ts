// What roles are called.

import type { Language } from "./format";
import { said, type Said } from "./case-wire";

const NAMES: Record<string, Said> = {
  citizen: { zh: "居民", en: "Citizen" },
  village: { zh: "村（社区）工作人员", en: "Village worker" },
  township: { zh: "乡镇（街道）", en: "Township" },
  county: { zh: "县（市、区）", en: "County" },
  city: { zh: "市", en: "City" },
  province: { zh: "省", en: "Province" },
  department: { zh: "部门", en: "Department" },
  system_admin: { zh: "系统管理员", en: "System administrator" },
  security_admin: { zh: "安全管理员", en: "Security administrator" },
  audit_admin: { zh: "审计管理员", en: "Audit administrator" },
  system: { zh: "平台", en: "The platform" },
};

export const roleName = (role: string, language: Language): string =>
  NAMES[role] ? said(NAMES[role], language) : role;
