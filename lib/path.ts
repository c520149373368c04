/**
 * Mailboxes and the paths that carry them: what stands between the angle brackets of MAIL and RCPT.
 *
 * RFC 5321 section 4.1.2 (grammar), section 4.1.1.3 and appendix C (source routes, read and ignored),
 * RFC 6531 section 3.3 (UTF-8 in both halves). Addresses are kept as written: whether `"a"@b` and
 * `a@b` are the same mailbox is for their owner to say (section 2.3.11).
 *
 * Leniences, by the names that tests/conformance.md gives them, with reason and proof: no brackets, no
 * domain, odd dots, odd names. None of them can end a path early, so none weakens framing.
 */

/** A mailbox as written; `domain` is null where the client gave only a local part. */
export interface Mailbox {
  /** With its quotes, if it had them. */
  readonly localPart: string;
  /** A domain name, or an address literal with its brackets. */
  readonly domain: string | null;
}

/** Where a message came from; null is the null sender `<>` of bounces (RFC 5321 section 4.5.5). */
export type ReversePath = Mailbox | null;

/** Where a message goes. */
export type ForwardPath = Mailbox;

/** A path that was read from the start of a text, and what followed it. */
export interface PathRead<Path> {
  /** What was read. */
  readonly path: Path;
  /** What follows: parameters, if anything. */
  readonly rest: string;
}

const NON_ASCII = "\\u00a0-\\u{10ffff}";
const LOCAL_PART = `[A-Za-z0-9!#$%&'*+/=?^_\`{|}~.${NON_ASCII}-]+`;
const QUOTED = `"(?:[ !#-\\[\\]-~${NON_ASCII}]|\\\\[ -~])*"`;
const DOMAIN = `[A-Za-z0-9_${NON_ASCII}-]+(?:\\.[A-Za-z0-9_${NON_ASCII}-]+)*\\.?`;
const LITERAL = "\\[[!-Z^-~]+\\]";
const MAILBOX = `(?<localPart>${LOCAL_PART}|${QUOTED})(?:@(?<domain>${DOMAIN}|${LITERAL}))?`;
const SOURCE_ROUTE = `(?:@(?:${DOMAIN})(?:,@(?:${DOMAIN}))*:)?`;

const NULL_PATH = /^<>(?<rest>.*)$/su;
const BRACKETED = new RegExp(`^<${SOURCE_ROUTE}${MAILBOX}>(?<rest>.*)$`, "su");
const BARE = new RegExp(`^${MAILBOX}(?<rest>(?: .*)?)$`, "su");

/** Reads the argument of `MAIL FROM:`; null where it is no reverse path. */
export function readReversePath(text: string): PathRead<ReversePath> | null {
  const empty = NULL_PATH.exec(text);
  return empty === null ? readForwardPath(text) : { path: null, rest: empty.groups!.rest };
}

/** Reads the argument of `RCPT TO:`; null where it is no forward path. */
export function readForwardPath(text: string): PathRead<ForwardPath> | null {
  const groups = (BRACKETED.exec(text) ?? BARE.exec(text))?.groups;
  if (groups === undefined) return null;
  const { localPart, domain, rest } = groups;
  return { path: { localPart, domain: domain ?? null }, rest };
}

/** A mailbox as an address, without angle brackets. */
export function addressOf({ localPart, domain }: Mailbox): string {
  return domain === null ? localPart : `${localPart}@${domain}`;
}

/** Whether a mailbox needs SMTPUTF8 to be spoken of (RFC 6531 section 3.2). */
export function isInternational(mailbox: Mailbox): boolean {
  return /[^\x20-\x7e]/.test(addressOf(mailbox));
}
