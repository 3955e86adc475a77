/** Under which everything about identity providers is cached. */
export const PROVIDERS = ['identity-providers'] as const;
