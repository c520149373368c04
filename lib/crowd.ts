/**
 * Who is connected, so that neither all clients together nor one by itself has more connections than
 * the server can bear. Clients on a Unix socket have no address by which one could be told from another:
 * who may connect there is for the mode of the socket to say.
 */
import { neighbourhood } from "./ip.ts";

/** How many may be connected. */
export interface CrowdLimits {
  /** Connections at once. */
  readonly maxConnections: number;
  /** Connections at once from one IPv4 address, or one /64 network of IPv6. */
  readonly maxConnectionsPerAddress: number;
}

/** Counts connections. */
export class Crowd {
  readonly #limits: CrowdLimits;
  readonly #counts = new Map<string, number>();
  #size = 0;

  /** Begins with nobody. */
  constructor(limits: CrowdLimits) {
    this.#limits = limits;
  }

  /** How many are connected. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes in a client, and gives what is to be called once when it leaves; or says of whom it is one too
   * many: of all, or of those at its address.
   */
  enter(address: string | null): (() => void) | "all" | "address" {
    const key = address === null ? null : neighbourhood(address);
    const count = key === null ? 0 : this.#counts.get(key) ?? 0;
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    if (this.#size >= maxConnections) return "all";
    if (count >= maxConnectionsPerAddress) return "address";
    this.#size++;
    if (key !== null) this.#counts.set(key, count + 1);
    return () => {
      this.#size--;
      if (key !== null) this.#leave(key);
    };
  }

  #leave(key: string): void {
    const count = this.#counts.get(key)! - 1;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
}
