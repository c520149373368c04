/**
 * What stands between a connection that was accepted and its session: whose it is, where a proxy passes
 * it on, and whether there is room for it. All that come through share what the server has.
 */
import { Channel, type Commons } from "./channel.ts";
import { type ConnectionOptions, converse, type Stopping } from "./connection.ts";
import { Crowd, type CrowdLimits } from "./crowd.ts";
import type { Accepted } from "./listener.ts";
import { isProxy, type Proxies, takeHeader } from "./proxied.ts";
import * as replies from "./reply.ts";
import type { Protocol, Reply } from "./reply.ts";
import type { Policy } from "./state.ts";

/** What the door obeys and passes on. */
export interface DoorOptions extends Omit<ConnectionOptions, "policy" | "commons"> {
  /** Who passes connections on. */
  readonly proxies: Proxies;
  /** What sessions obey; the protocol is that of the address. */
  readonly policy: Omit<Policy, "protocol">;
  /** Limits of each connection, and of all together. */
  readonly limits: ConnectionOptions["limits"] & CrowdLimits & {
    /** Milliseconds that a proxy may take to say whose connection it passes on. */
    readonly proxyTimeoutMs: number;
  };
}

/** Lets connections in. */
export class Door {
  readonly #options: DoorOptions;
  readonly #commons: Commons;
  readonly #stopping: Stopping;
  readonly #crowd: Crowd;
  readonly #visits = new Set<Promise<void>>();
  /**
   * Those at the door are not counted with those inside, nor those that are told to leave with those that
   * may come in: whoever keeps knocking would keep everyone out.
   */
  readonly #asking: Limited;
  readonly #telling: Limited;

  /** Begins with nobody inside. */
  constructor(options: DoorOptions, commons: Commons, stopping: Stopping) {
    const { limits } = options;
    this.#options = options;
    this.#commons = commons;
    this.#stopping = stopping;
    this.#crowd = new Crowd(limits);
    this.#asking = limited(limits.maxConnections);
    this.#telling = limited(limits.maxConnections);
  }

  /** How many connections have been let in. */
  get connections(): number {
    return this.#crowd.size;
  }

  /** Resolves when all who came have left. */
  async empty(): Promise<void> {
    await Promise.all(this.#visits);
  }

  /** Lets a connection in, or turns it away. */
  open(visitor: Accepted, protocol: Protocol): void {
    const visit = this.#receive(visitor, protocol);
    this.#visits.add(visit);
    visit.finally(() => this.#visits.delete(visit));
  }

  async #receive({ socket, remote }: Accepted, protocol: Protocol): Promise<void> {
    const { proxies, limits, observe } = this.#options;
    if (!isProxy(proxies, remote)) return await this.#admit({ socket, remote }, protocol);
    const passed = await this.#asking(() =>
      takeHeader(socket, remote, limits.proxyTimeoutMs, this.#stopping.soon)
    );
    if (passed === null) return socket.close();
    if (passed.kind === "passed") return await this.#admit(passed, protocol);
    if (passed.reason === null) return;
    observe({ kind: "proxy fault", address: remote.address, reason: passed.reason });
  }

  async #admit(visitor: Accepted, protocol: Protocol): Promise<void> {
    const { domain } = this.#options.policy;
    const leave = this.#crowd.enter(visitor.remote.address);
    switch (leave) {
      case "all":
        return await this.#turnAway(visitor, replies.tooManyConnections(domain));
      case "address":
        return await this.#turnAway(visitor, replies.tooManyFromAddress(domain));
    }
    try {
      const policy = { ...this.#options.policy, protocol };
      const options = { ...this.#options, policy, commons: this.#commons };
      await converse(visitor.socket, visitor.remote, options, this.#stopping);
    } finally {
      leave();
    }
  }

  async #turnAway({ socket, remote }: Accepted, reply: Reply): Promise<void> {
    const { observe, limits } = this.#options;
    const told = await this.#telling(async () => {
      observe({ kind: "turned away", address: remote.address, reply });
      const channel = new Channel(socket, limits.idleTimeoutMs, this.#commons);
      channel.say(reply);
      await channel.close();
    });
    // Too many even to be told so.
    if (told === null) socket.close();
  }
}

/** Does work, unless as much of it as may be is going on; null then. */
type Limited = <Result>(work: () => Promise<Result>) => Promise<Result | null>;

function limited(most: number): Limited {
  let busy = 0;
  return async (work) => {
    if (busy >= most) return null;
    busy++;
    try {
      return await work();
    } finally {
      busy--;
    }
  };
}
