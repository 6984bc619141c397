// What a new password must have, as far as the page can see; the server also knows which are
// common and which were used lately.

export interface Rules {
  length: boolean;
  classes: boolean;
  login: boolean;
}

const LENGTH_LEAST = 8;
const CLASSES_LEAST = 3;
const CLASSES = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z\d\s]/];

export function rulesOf(password: string, login: string): Rules {
  const classes = CLASSES.filter((sign) => sign.test(password)).length;
  const plain = login.trim().toLowerCase();
  return {
    length: [...password].length >= LENGTH_LEAST,
    classes: classes >= CLASSES_LEAST,
    login: password !== "" && (plain === "" || !password.toLowerCase().includes(plain)),
  };
}
