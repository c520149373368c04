/**
 * The server's half of SASL PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login), as calculations:
 * a response goes in, and a challenge, credentials or nothing readable comes out. What the
 * credentials are worth is for others to decide.
 *
 * Leniences, by the names that tests/conformance.md gives them: user name inline, challenges word for
 * word, base64 without padding.
 */
import { octetsOf, utf8 } from "./octets.ts";

/** What a client says it is. */
export interface Credentials {
  /** The authentication identity. */
  readonly user: string;
  /** In the clear: keep it nowhere. */
  readonly password: string;
}

/** Where an exchange stands after a response. */
export type Exchange =
  | {
    readonly kind: "challenge";
    readonly base64: string;
    readonly answer: Answer;
  }
  | { readonly kind: "credentials"; readonly credentials: Credentials }
  | { readonly kind: "unreadable" };

/** Takes the client's next response, in base64, to where that leads. */
export type Answer = (response: string) => Exchange;

/** The names of the mechanisms, as EHLO offers them. */
export const mechanisms = ["PLAIN", "LOGIN"] as const;

const UNREADABLE: Exchange = { kind: "unreadable" };

function decode(response: string): string | null {
  // RFC 4954 section 4: "=" alone is an empty response.
  if (response === "=") return "";
  // `atob` passes over it, but it is no base64 (RFC 4648 section 3.3).
  if (/\s/.test(response)) return null;
  try {
    return utf8(octetsOf(atob(response)));
  } catch {
    // It is no base64.
    return null;
  }
}

function plain(response: string): Exchange {
  // [authzid] NUL authcid NUL password
  const parts = decode(response)?.split("\0");
  if (parts?.length !== 3 || parts[1] === "") return UNREADABLE;
  const [, user, password] = parts;
  return { kind: "credentials", credentials: { user, password } };
}

function loginUser(response: string): Exchange {
  const user = decode(response);
  if (user === null) return UNREADABLE;
  return {
    kind: "challenge",
    base64: "UGFzc3dvcmQ6", // "Password:"
    answer: (response) => {
      const password = decode(response);
      return password === null
        ? UNREADABLE
        : { kind: "credentials", credentials: { user, password } };
    },
  };
}

/**
 * Begins an exchange; null for a mechanism that is not offered.
 *
 * The challenges of LOGIN are worded "Username:" and "Password:", since clients exist that compare
 * them; a user name sent along with AUTH LOGIN skips the first.
 */
export function begin(
  mechanism: string,
  initialResponse: string | null,
): Exchange | null {
  switch (mechanism) {
    case "PLAIN":
      return initialResponse === null
        ? { kind: "challenge", base64: "", answer: plain }
        : plain(initialResponse);
    case "LOGIN":
      return initialResponse === null
        ? { kind: "challenge", base64: "VXNlcm5hbWU6", answer: loginUser } // "Username:"
        : loginUser(initialResponse);
    default:
      return null;
  }
}
