/**
 * The waist of the program: everything on the SMTP side ends in a `Mail`, everything on the HTTP side
 * begins with one, and a `Courier` stands between. Types only; neither side knows the other.
 */
import type { ForwardPath, ReversePath } from "./path.ts";

/** Who sends and who receives, as MAIL and RCPT said (RFC 5321 section 2.3.1). */
export interface Envelope {
  /** The sender. */
  readonly reversePath: ReversePath;
  /** In the order of the RCPT commands, repeats kept. */
  readonly forwardPaths: readonly [ForwardPath, ...ForwardPath[]];
}

/** Who is at the other end of a connection. */
export interface Remote {
  /** IP address, IPv4 peers of a dual-stack socket in dotted form; null on a Unix socket. */
  readonly address: string | null;
  /** TCP port; null on a Unix socket. */
  readonly port: number | null;
  /** Whether the connection was encrypted, as far as to a proxy that says so. */
  readonly tls: boolean;
}

/** The client that handed a message over by SMTP or LMTP. */
export interface Client extends Remote {
  /** The name given with EHLO, HELO or LHLO, unchecked; null where it gave none. */
  readonly hostname: string | null;
  /** The user name of AUTH, unchecked; null without AUTH. */
  readonly user: string | null;
}

/** One message, as complete as it will ever be. */
export interface Mail {
  /** UUID version 7, the same in logs, reply and request. */
  readonly id: string;
  /** When the session, or what followed its last reset, began. */
  readonly receivedAt: Date;
  /** Who handed it over. */
  readonly client: Client;
  /** Who sends and who receives. */
  readonly envelope: Envelope;
  /** Header and body as received, dot-stuffing undone, line ends untouched. */
  readonly data: Uint8Array;
}

/** What became of a message. Notes and reasons are fit for a reply: no secret, nothing a client wrote. */
export type Outcome =
  & {
    /** Nothing was sent: the message was kept here, or there was nothing to send. */
    readonly unsent?: true;
    /** What the operator wants to know beyond that, such as the start of an answer; one line. */
    readonly detail?: string;
  }
  & (
    /** Someone else holds it now. */
    | { readonly kind: "accepted"; readonly note: string }
    /** Nobody took it, but someone may later. */
    | {
      readonly kind: "deferred";
      readonly reason: string;
      /** For how long whoever did not take it asks to be left alone, in milliseconds. */
      readonly retryAfterMs?: number;
      /** It could not be kept, for want of space or for a fault of what should keep it. */
      readonly isUnkept?: true;
    }
    /** It will never be taken. */
    | { readonly kind: "rejected"; readonly reason: string }
  );

/**
 * Carries a message away. It resolves as soon as the outcome is certain and does not reject; `signal`
 * asks it to give up and defer.
 */
export type Courier = (mail: Mail, signal: AbortSignal) => Promise<Outcome>;
