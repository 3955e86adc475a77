// What the provider keeps, in memory: it survives a change of keys, and sessions can be found by their account.
// Nothing is swept away; what is read is checked against its own expiry.

export class Storage {
  #entries = new Map();

  // The provider makes one adapter for each kind of thing.
  adapter = (kind) => ({
    upsert: async (id, payload) => { this.#of(kind).set(id, structuredClone(payload)); },
    find: async (id) => structuredClone(this.#of(kind).get(id)),
    findByUid: async (uid) => structuredClone(this.#values(kind).find((payload) => payload.uid === uid)),
    findByUserCode: async () => undefined,
    consume: async (id) => { this.#of(kind).get(id).consumed = Math.floor(Date.now() / 1000); },
    destroy: async (id) => { this.#of(kind).delete(id); },
    revokeByGrantId: async (grantId) => {
      for (const [id, payload] of this.#of(kind)) {
        if (payload.grantId === grantId) this.#of(kind).delete(id);
      }
    },
  });

  sessionIds(accountId) {
    return [...this.#of('Session')].filter(([, payload]) => payload.accountId === accountId).map(([id]) => id);
  }

  #of(kind) {
    if (!this.#entries.has(kind)) this.#entries.set(kind, new Map());
    return this.#entries.get(kind);
  }

  #values(kind) {
    return [...this.#of(kind).values()];
  }
}
