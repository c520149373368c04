/** The stores there are, each held to the same contract. */
import { MemoryStore } from "../lib/store/memory.ts";
import { SqliteStore } from "../lib/store/sqlite.ts";
import { SqliteInventory } from "../lib/store/sqlite_inventory.ts";
import { storeContract } from "./store_contract.ts";

storeContract("MemoryStore", (_folder, options) => {
  const store = new MemoryStore(options);
  return Promise.resolve({
    store,
    inventory: store,
    [Symbol.asyncDispose]: () => store.close(),
  });
});

storeContract("SqliteStore", async (folder, { maxOctets }) => {
  const path = `${folder}/queue.db`;
  const lifetimeMs = Number.MAX_SAFE_INTEGER;
  const store = SqliteStore.open(path, {
    ...{ maxOctets, lifetimeMs, longestDelayMs: lifetimeMs, nowMs: 0 },
  });
  const inventory = await SqliteInventory.open(path);
  return {
    store,
    inventory,
    async [Symbol.asyncDispose]() {
      inventory.close();
      await store.close();
    },
  };
});
