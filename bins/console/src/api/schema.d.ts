// Made from the server's OpenAPI document by `npm run api:types`. Not edited by hand.

export interface paths {
    "/api/v1/agents/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A new key for the component that asks. The key that it asks with lives until the new one is first used, so that no crash
         *     in between leaves the component without a key; it may ask again as often as it loses the new one. A key that an
         *     administrator has replaced, and that lives until a deadline, gets no other.
         * @description Components. At most 10 requests in 60 s from one component.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The only time the key is seen. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnKey"];
                    };
                };
                /** @description `key_unknown`, `key_rotated` or `key_revoked` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `key_replaced`: an administrator has made a new key */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `rate_limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/agents/heartbeat/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A sign of life.
         * @description Components.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Heartbeat"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["HeartbeatAnswer"];
                    };
                };
                /** @description `key_unknown`, `key_rotated` or `key_revoked` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit-logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The entries that match, the newest first.
         * @description From the role admin on.
         */
        get: {
            parameters: {
                query?: {
                    /** @description This action, such as `session.sign_in`. */
                    action?: string;
                    /** @description The `next_cursor` of the page before; absent for the first page. */
                    cursor?: string;
                    /** @description At this time or later. */
                    from?: string;
                    /** @description How many items, 1 to 200; 50 when absent. */
                    limit?: number;
                    /** @description `success`, `failure` or `denied`. */
                    outcome?: string;
                    /** @description A text in the actor's name, the resource's name or the details, in any case. */
                    q?: string;
                    /** @description On a resource of this kind: `user`, `session`, `component`, `key`, `enrollment_token`, `provider` or `endpoint`. */
                    resource?: string;
                    /** @description On the resource with this identifier. */
                    resource_id?: string;
                    /** @description Before this time. */
                    until?: string;
                    /** @description By the actor with this name. */
                    user?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Page_AuditEntry"];
                    };
                };
                /** @description `invalid_query` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit-logs/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Counts over the entries that match; `limit` and `cursor` do not count here.
         * @description From the role admin on.
         */
        get: {
            parameters: {
                query?: {
                    /** @description This action, such as `session.sign_in`. */
                    action?: string;
                    /** @description The `next_cursor` of the page before; absent for the first page. */
                    cursor?: string;
                    /** @description At this time or later. */
                    from?: string;
                    /** @description How many items, 1 to 200; 50 when absent. */
                    limit?: number;
                    /** @description `success`, `failure` or `denied`. */
                    outcome?: string;
                    /** @description A text in the actor's name, the resource's name or the details, in any case. */
                    q?: string;
                    /** @description On a resource of this kind: `user`, `session`, `component`, `key`, `enrollment_token`, `provider` or `endpoint`. */
                    resource?: string;
                    /** @description On the resource with this identifier. */
                    resource_id?: string;
                    /** @description Before this time. */
                    until?: string;
                    /** @description By the actor with this name. */
                    user?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["AuditStats"];
                    };
                };
                /** @description `invalid_query` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/change-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change one's own password. Every other session of the user ends.
         * @description Who is signed in. At most 10 requests in 60 s from one address.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ChangePassword"];
                };
            };
            responses: {
                /** @description Changed; the old session is replaced by a new one. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SignedIn"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `wrong_password` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value`: why the new password was refused */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `rate_limited` or `account_throttled` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/end-session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where to go after signing out, so that the session at the provider ends too. To be asked before.
         * @description Who is signed in.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["EndSession"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in with a password.
         * @description Anyone. At most 5 requests in 300 s from one address.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Login"];
                };
            };
            responses: {
                /** @description Signed in. Also sets the session and device cookies. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["SignedIn"];
                    };
                };
                /** @description `invalid_credentials` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `rate_limited` or `account_throttled` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `busy` or `unavailable` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End the session that asks.
         * @description Who is signed in.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Signed out; the session cookie is cleared. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who is signed in.
         * @description Who is signed in.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Me"];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/oidc/authorize/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Start signing in through a provider.
         * @description Anyone. At most 10 requests in 60 s from one address.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description To the provider. */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description To the sign-in page, with a code and a reference. */
                303: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `rate_limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/oidc/backchannel/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * A provider's word that somebody has signed out there (`OpenID` Connect Back-Channel Logout 1.0).
         * @description Anyone.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            /** @description `logout_token` */
            requestBody: {
                content: {
                    "application/x-www-form-urlencoded": string;
                };
            };
            responses: {
                /** @description Their sessions have ended. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `invalid_logout_token` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/oidc/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Return from a provider.
         * @description Anyone. At most 10 requests in 60 s from one address.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description To `/#oidc_session=` and the bearer token, which has to be used within a minute in this browser; or to the sign-in page, with a code and a reference. */
                303: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `rate_limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The providers that people can sign in through.
         * @description Anyone.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Provider"][];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One's own sessions, the newest first.
         * @description Who is signed in.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"][];
                    };
                };
                /** @description `unauthenticated` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /**
         * End all of one's own sessions but the one that asks.
         * @description Who is signed in.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Ended. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End one of one's own sessions.
         * @description Who is signed in.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Ended. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sso": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Start signing in with the only provider, or go to the sign-in page.
         * @description Anyone. At most 10 requests in 60 s from one address.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description To the provider, if there is exactly one. */
                302: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description To the sign-in page. */
                303: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `rate_limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/components/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Register a component with an enrollment token. The answer is the only time its key is seen. For a host that is known the
         *     component keeps its place and is given a new key, if the caller sends the present one in `X-API-Key` or an administrator
         *     has approved it; the old key is dead at once.
         * @description Anyone. At most 10 requests in 60 s from one address.
         */
        post: {
            parameters: {
                query?: never;
                header?: {
                    /** @description 22 to 128 visible ASCII characters that nobody can guess: the same call with the same one is answered again, with another key, until a key of it was used. */
                    "Idempotency-Key"?: string | null;
                    /** @description The present key, of a component that is known already. */
                    "X-API-Key"?: string | null;
                };
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["Register"];
                };
            };
            responses: {
                /** @description A component that was there has this new key. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnKey"];
                    };
                };
                /** @description A new component; with `enrollment.require_approval` it waits. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OwnKey"];
                    };
                };
                /** @description `invalid_idempotency_key`, or the body does not read */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `enrollment_token_unknown` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `component_exists` until an administrator approves, or `name_taken` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `enrollment_token_used` or `enrollment_token_expired` */
                410: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `rate_limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrollment-requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who asks for the place of a component, the latest first.
         * @description From the role operator on.
         */
        get: {
            parameters: {
                query?: {
                    /** @description The `next_cursor` of the page before; absent for the first page. */
                    cursor?: string;
                    /** @description How many items, 1 to 200; 50 when absent. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Page_EnrollmentRequest"];
                    };
                };
                /** @description `invalid_query` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrollment-requests/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Put aside that somebody asks for the place of this component, approved or not.
         * @description From the role admin on.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Put aside, until somebody asks again. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrollment-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All enrollment tokens, the newest first; never their values.
         * @description From the role operator on.
         */
        get: {
            parameters: {
                query?: {
                    /** @description The `next_cursor` of the page before; absent for the first page. */
                    cursor?: string;
                    /** @description How many items, 1 to 200; 50 when absent. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Page_EnrollmentToken"];
                    };
                };
                /** @description `invalid_query` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Create an enrollment token. The answer is the only time its value is seen.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateEnrollmentToken"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CreatedEnrollmentToken"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/enrollment-tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete an enrollment token. Components that came in with it stay.
         * @description From the role admin on.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted: nobody registers with it from now on. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity-providers/ldap/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Test the directory, and with a name and a password what it says about somebody.
         * @description From the role admin on. At most 10 requests in 60 s from one address.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["TestDirectory"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DirectoryTest"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `no_directory`: none is configured */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `rate_limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity-providers/oidc": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All providers by name.
         * @description From the role admin on.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Page_OidcProvider"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Set up a provider.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateOidcProvider"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OidcProvider"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `name_taken` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity-providers/oidc/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One provider.
         * @description From the role admin on.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OidcProvider"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /**
         * Delete a provider. The sessions that came from it end; accounts stay.
         * @description From the role admin on.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        /**
         * Change a provider.
         * @description From the role admin on.
         */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["UpdateOidcProvider"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["OidcProvider"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `name_taken` or `changed_meanwhile` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/identity-providers/oidc/{id}/dry-run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Say what would become of somebody with certain claims. Nothing is done.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["DryRun"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["DryRunResult"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value`: no subject */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity-providers/oidc/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Look whether a provider can be used, and take its endpoints as they are now.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ProviderTest"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity-providers/oidc/attempts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The records of sign-ins through providers, the newest first.
         * @description From the role admin on.
         */
        get: {
            parameters: {
                query?: {
                    /** @description The `next_cursor` of the page before; absent for the first page. */
                    cursor?: string;
                    /** @description How many items, 1 to 200; 50 when absent. */
                    limit?: number;
                    /** @description Those at this provider. */
                    provider?: string;
                    /** @description The one with this reference, as the sign-in page shows it. */
                    reference?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Page_Attempt"];
                    };
                };
                /** @description `invalid_query` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ingest/influx": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take measurements in InfluxDB line protocol.
         * @description Components.
         */
        post: {
            parameters: {
                query?: {
                    /** @description The unit of timestamps: ns, us, ms, s, m or h */
                    precision?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "text/plain": string;
                };
            };
            responses: {
                /** @description Taken. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `key_unknown`, `key_rotated` or `key_revoked` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `payload_too_large`: more than 32 MiB */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unsupported_media_type`: neither plain nor gzip */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `time_series_store_away` or `no_time_series_store` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ingest/influx/write": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take measurements in InfluxDB line protocol, at the path that InfluxDB's own clients append.
         * @description Components.
         */
        post: {
            parameters: {
                query?: {
                    /** @description The unit of timestamps: ns, us, ms, s, m or h */
                    precision?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "text/plain": string;
                };
            };
            responses: {
                /** @description Taken; see `/api/v1/ingest/influx`. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ingest/prometheus": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take measurements by Prometheus remote write.
         * @description Components.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/x-protobuf": number[];
                };
            };
            responses: {
                /** @description Taken. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `key_unknown`, `key_rotated` or `key_revoked` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `time_series_store_away` or `no_time_series_store` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/keys/report-leak": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Report a leaked key. Whoever holds it can end it; the answer tells nothing about it.
         * @description Anyone. At most 10 requests in 60 s from one address.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["LeakReport"];
                };
            };
            responses: {
                /** @description Taken note of. */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `rate_limited` */
                429: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/metrics/query": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compute a value for one instant.
         * @description From the role viewer on.
         */
        get: {
            parameters: {
                query: {
                    /** @description What to compute, in `MetricsQL` or `PromQL`. */
                    query: string;
                    /** @description For which instant: seconds since the Unix epoch, or RFC 3339. Now, when absent. */
                    time?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The answer of Prometheus's HTTP API. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `invalid_query` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `time_series_store_away` or `no_time_series_store` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/metrics/query_range": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compute values over a range of time.
         * @description From the role viewer on.
         */
        get: {
            parameters: {
                query: {
                    /** @description Until when. Now, when absent. */
                    end?: string;
                    /** @description What to compute, in `MetricsQL` or `PromQL`. */
                    query: string;
                    /** @description From when: seconds since the Unix epoch, or RFC 3339. */
                    start: string;
                    /** @description In steps of how long, such as `30s`. */
                    step?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The answer of Prometheus's HTTP API. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `invalid_query` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `time_series_store_away` or `no_time_series_store` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * This document.
         * @description Anyone.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The OpenAPI document. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remote-collectors/{id}/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The component's own configuration. The caller is authorised before its condition is looked at: a dead key never learns
         *     that its entity tag still fits.
         * @description Components.
         */
        get: {
            parameters: {
                query?: never;
                header?: {
                    /** @description Entity tags that the component has */
                    "If-None-Match"?: string | null;
                };
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        ETag?: string;
                        [name: string]: unknown;
                    };
                    content: {
                        "application/toml": string;
                    };
                };
                /** @description What the component has is the present configuration. */
                304: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `key_unknown`, `key_rotated` or `key_revoked` */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `no_config`: none is set yet; `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        /**
         * Set a component's configuration.
         * @description From the role operator on.
         */
        put: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/toml": string;
                };
            };
            responses: {
                /** @description Set. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `payload_too_large`: more than 1 MiB */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value`: not TOML */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remote-collectors/{id}/report": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What a component last said about its configuration.
         * @description From the role viewer on.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["LastReport"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found`: no such component, or it has said nothing yet */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Tell how applying a configuration went.
         * @description Components.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["ConfigReport"];
                };
            };
            responses: {
                /** @description Kept. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remote-components": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The components that match, by name.
         * @description From the role viewer on.
         */
        get: {
            parameters: {
                query?: {
                    /** @description The `next_cursor` of the page before; absent for the first page. */
                    cursor?: string;
                    /** @description `agent` or `collector`. */
                    kind?: string;
                    /** @description How many items, 1 to 200; 50 when absent. */
                    limit?: number;
                    /** @description A text in the name, the host name or the key prefix, in any case. */
                    q?: string;
                    /** @description `pending`, `active`, `offline` or `revoked`. */
                    status?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Page_Component"];
                    };
                };
                /** @description `invalid_query` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Create a component. The answer is the only time its key is seen.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateComponent"];
                };
            };
            responses: {
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ComponentWithKey"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `name_taken` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remote-components/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One component.
         * @description From the role viewer on.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Component"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /**
         * Delete a component, its keys and its configuration.
         * @description From the role admin on.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        /**
         * Change what describes a component.
         * @description From the role admin on.
         */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["UpdateComponent"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Component"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `name_taken` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/remote-components/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Approve that whoever asked for a component's place at `requested_at` is given it, for 24 hours and once: the key that the
         *     component has ends then. Without that time: let a pending component in with the key that it has, and of any other one
         *     approve whatever request there is.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["ApproveComponent"] | null;
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Component"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `component_active` or `component_revoked`: nobody asks for its place; or `request_changed`: nobody asked for it then */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remote-components/{id}/request-rotation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask a component to rotate its key by itself: the answer to its next heartbeat says so.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Component"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `component_pending` or `component_revoked` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remote-components/{id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let a revoked component in again with a new key. The answer is the only time it is seen.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ComponentWithKey"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `component_active` or `component_pending` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remote-components/{id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End all keys of a component, at once.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Revoked: no request that starts now is let in. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Component"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remote-components/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a component a new key. The answer is the only time it is seen; the old one is dead, unless a grace was asked for.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["RotateComponent"] | null;
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ComponentWithKey"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `component_revoked` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/remote-components/rotate-fleet": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How far the rotation of the fleet is that runs, or the last one before.
         * @description From the role admin on.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FleetRotation"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `no_fleet_rotation`: there never was one */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Rotate the keys of the fleet: components that report are asked in waves to rotate their keys themselves. A wave begins when
         *     the one before uses its new keys, or was waited for long enough; when too many components go silent or are refused, it stops
         *     by itself.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: {
                content: {
                    "application/json": components["schemas"]["StartFleetRotation"] | null;
                };
            };
            responses: {
                /** @description It has begun. */
                202: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FleetRotation"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `fleet_rotation_runs` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        /**
         * Call the rotation of the fleet off: nobody else is asked. Components that were asked already rotate their keys.
         * @description From the role admin on.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It is cancelled. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["FleetRotation"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `no_fleet_rotation`: none runs */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All users by name.
         * @description From the role admin on.
         */
        get: {
            parameters: {
                query?: {
                    /** @description The `next_cursor` of the page before; absent for the first page. */
                    cursor?: string;
                    /** @description How many items, 1 to 200; 50 when absent. */
                    limit?: number;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Page_User"];
                    };
                };
                /** @description `invalid_query` */
                400: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        /**
         * Create a user.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["CreateUser"];
                };
            };
            responses: {
                /** @description Created; the only time a one-time password is seen. */
                201: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["CreatedUser"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `username_taken` */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One user.
         * @description From the role admin on.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["User"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /**
         * Delete a user and end all of its sessions.
         * @description From the role admin on.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Deleted. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `own_account` or `built_in_account` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        /**
         * Change a user. A new role and deactivation end all of the user's sessions.
         * @description From the role admin on.
         */
        patch: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody: {
                content: {
                    "application/json": components["schemas"]["UpdateUser"];
                };
            };
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["User"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `own_account` or `built_in_account` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `invalid_value` */
                422: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        trace?: never;
    };
    "/api/v1/users/{id}/reset-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a user a one-time password and end all of its sessions.
         * @description From the role admin on.
         */
        post: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description The only time the one-time password is seen. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["ResetPassword"];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_local`: another system keeps this user's password */
                409: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A user's sessions, the newest first.
         * @description From the role admin on.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Session"][];
                    };
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        /**
         * End all of a user's sessions.
         * @description From the role admin on.
         */
        delete: {
            parameters: {
                query?: never;
                header?: never;
                path: {
                    id: string;
                };
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description Ended. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `forbidden`, `cross_origin` or `password_change_required` */
                403: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `not_found` */
                404: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v2/write": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take measurements in InfluxDB line protocol, as writers of InfluxDB 2 send it: they have no other header for a key than
         *     `Authorization: Token`.
         * @description Components.
         */
        post: {
            parameters: {
                query?: {
                    /** @description The unit of timestamps: ns, us, ms, s, m or h */
                    precision?: string;
                };
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody: {
                content: {
                    "text/plain": string;
                };
            };
            responses: {
                /** @description Taken; see `/api/v1/ingest/influx`. What names a bucket or an organisation is dropped. */
                204: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unauthenticated`, or why the key is refused */
                401: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `payload_too_large`: more than 32 MiB */
                413: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `unsupported_media_type`: neither plain nor gzip */
                415: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
                /** @description `time_series_store_away` or `no_time_series_store` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The process answers.
         * @description Anyone.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It lives. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The store answers too.
         * @description Anyone.
         */
        get: {
            parameters: {
                query?: never;
                header?: never;
                path?: never;
                cookie?: never;
            };
            requestBody?: never;
            responses: {
                /** @description It can do its work. */
                200: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content?: never;
                };
                /** @description `unavailable` */
                503: {
                    headers: {
                        [name: string]: unknown;
                    };
                    content: {
                        "application/json": components["schemas"]["Error"];
                    };
                };
            };
        };
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Approves a component, or a request for its place. */
        ApproveComponent: {
            /**
             * Format: date-time
             * @description [`EnrollmentRequest::requested_at`] of the request that was looked at: nothing else is approved then, and least of all the
             *     component itself where it waits too.
             */
            requested_at?: string | null;
        };
        /** @description The record of a sign-in through a provider. */
        Attempt: {
            /**
             * Format: date-time
             * @description When.
             */
            at: string;
            /** @description From which address. */
            client_address?: string | null;
            /** @description `signed_in`, or the code that the sign-in page showed. */
            code: string;
            provider?: components["schemas"]["Provider"] | null;
            /** @description What it is found by. */
            reference: string;
            /** @description What was looked at, in order. */
            steps: components["schemas"]["AttemptStep"][];
            /** @description Who, if that was proved. */
            username?: string | null;
        };
        /** @description One step of a sign-in. */
        AttemptStep: {
            /** @description What was looked at. */
            check: string;
            /** @description What else there is to know. */
            note?: string | null;
            /** @description `passed` or `failed`. */
            outcome: string;
        };
        /** @description Who acted, under the name of that time. */
        AuditActor: {
            /** @description Its identifier. */
            id?: string | null;
            /** @description `anonymous`, `user`, `component`, `command_line` or `system`. */
            kind: string;
            /** @description Its name. */
            name: string;
        };
        /** @description How many entries of one action ended in one way. */
        AuditCount: {
            /** @description Which action. */
            action: string;
            /**
             * Format: int64
             * @description How many.
             */
            count: number;
            /** @description Which outcome. */
            outcome: string;
        };
        /** @description How many entries a day has. */
        AuditDay: {
            /**
             * Format: int64
             * @description How many.
             */
            count: number;
            /**
             * Format: date-time
             * @description The day's first instant, in UTC.
             */
            day: string;
        };
        /** @description One entry of the audit log. */
        AuditEntry: {
            /** @description What, such as `component.rotate`. */
            action: string;
            /** @description Who. */
            actor: components["schemas"]["AuditActor"];
            /**
             * Format: date-time
             * @description When, in UTC.
             */
            at: string;
            /** @description From which address. */
            client_address?: string | null;
            /** @description What else is worth knowing. */
            details: {
                [key: string]: string;
            };
            /** @description SHA-256 over this entry and the hash of the one before, in hexadecimal. */
            hash: string;
            /** @description `success`, `failure` or `denied`. */
            outcome: string;
            /** @description Under which request. */
            request_id?: string | null;
            resource?: components["schemas"]["AuditResource"] | null;
            /**
             * Format: int64
             * @description Its position in the log, from 1, without gaps.
             */
            seq: number;
        };
        /** @description What was acted on, under the name of that time. */
        AuditResource: {
            /** @description Its identifier. */
            id?: string | null;
            /** @description `user`, `session`, `component`, `key` or `endpoint`. */
            kind: string;
            /** @description Its name. */
            name: string;
        };
        /** @description Counts over the entries that match. */
        AuditStats: {
            /** @description By action and outcome, the most frequent first. */
            by_action: components["schemas"]["AuditCount"][];
            /** @description By UTC day, in order; days without entries are left out. */
            by_day: components["schemas"]["AuditDay"][];
            /**
             * Format: int64
             * @description All of them.
             */
            total: number;
        };
        /** @description Changes one's own password. */
        ChangePassword: {
            /**
             * Format: password
             * @description The present password.
             */
            current_password: string;
            /**
             * Format: password
             * @description The one to use from now on.
             */
            new_password: string;
        };
        /** @description A program that reports to the server. */
        Component: {
            /**
             * Format: date-time
             * @description When it was created.
             */
            created_at: string;
            /** @description The host that it runs on. */
            hostname?: string | null;
            /** @description Its identifier. */
            id: string;
            /**
             * Format: date-time
             * @description When that key was made.
             */
            key_created_at: string;
            /** @description The first 12 characters of its key. */
            key_prefix: string;
            /** @description `agent` or `collector`. */
            kind: string;
            /**
             * Format: date-time
             * @description When it last made a request, give or take a few seconds.
             */
            last_seen_at?: string | null;
            /** @description From which address. */
            last_seen_ip?: string | null;
            /** @description What people call it; unique. */
            name: string;
            /**
             * Format: date-time
             * @description When it was shut out.
             */
            revoked_at?: string | null;
            /**
             * Format: date-time
             * @description Since when it has been asked to rotate that key; absent when it is not.
             */
            rotation_requested_at?: string | null;
            /** @description `pending`, `active`, `offline` or `revoked`. */
            status: string;
            /** @description The program version that it last reported. */
            version?: string | null;
        };
        /** @description A component with its new key: the only time the key is seen. */
        ComponentWithKey: {
            /** @description The key, for the `X-API-Key` header. */
            api_key: string;
            /** @description The component. */
            component: components["schemas"]["Component"];
        };
        /** @description How applying a configuration went. */
        ConfigReport: {
            /** @description The component's hash, or the entity tag, of the configuration it speaks of. */
            config_hash: string;
            /** @description What it has to say about it; may be empty. */
            message: string;
            /** @description `applied`, `validation_error` or `rolled_back`. */
            status: string;
        };
        /** @description Creates a component. */
        CreateComponent: {
            /** @description The host that it runs on. */
            hostname?: string | null;
            /** @description `agent` or `collector`. */
            kind: string;
            /** @description What people call it; unique. */
            name: string;
        };
        /** @description An enrollment token with its value: the only time that it is seen. */
        CreatedEnrollmentToken: {
            /** @description The value, `enroll_` and 43 characters, for [`Register::enrollment_token`]. */
            enrollment_token: string;
            /** @description What is known of it from now on. */
            token: components["schemas"]["EnrollmentToken"];
        };
        /** @description The new user, and the only sight of a one-time password. */
        CreatedUser: {
            /** @description The one-time password, when one was made. It works for 24 hours and must be changed at sign-in. */
            one_time_password?: string | null;
            /** @description The user. */
            user: components["schemas"]["User"];
        };
        /** @description Creates an enrollment token. */
        CreateEnrollmentToken: {
            /** @description What it is for; may be empty. */
            description?: string;
            /**
             * Format: int32
             * @description For how long it is good; 24 hours when absent, without an end when 0.
             */
            expires_in_seconds?: number | null;
            /**
             * Format: int32
             * @description How many components may register with it, for a token of many uses; absent: any number.
             */
            max_uses?: number | null;
            /** @description Whether more than one component may register with it; one when absent. */
            multi_use?: boolean;
        };
        /** @description Sets up an `OpenID` Connect provider. */
        CreateOidcProvider: {
            /** @description `true` when absent. */
            auto_provision?: boolean | null;
            /** @description The name of this installation there. */
            client_id: string;
            /**
             * Format: password
             * @description The client secret; required unless `token_endpoint_auth_method` is `none`.
             */
            client_secret?: string | null;
            /** @description `viewer` when absent. */
            default_role?: string | null;
            /** @description Whether people can sign in through it; `true` when absent. */
            enabled?: boolean | null;
            /** @description `groups` when absent. */
            groups_claim?: string | null;
            /** @description `RS256`, `PS256` and `ES256` when absent. */
            id_token_signing_algs?: string[] | null;
            /** @description Its issuer exactly as it writes it: an `https://` URL. */
            issuer: string;
            /** @description `false` when absent. */
            link_verified_email?: boolean | null;
            /** @description What people call it; unique. */
            name: string;
            /** @description None when absent. */
            role_mappings?: components["schemas"]["RoleMapping"][] | null;
            /** @description `openid`, `profile` and `email` when absent. */
            scopes?: string[] | null;
            /** @description `client_secret_basic` when absent. */
            token_endpoint_auth_method?: string | null;
            /** @description None when absent. */
            verified_domains?: string[] | null;
        };
        /** @description Creates a user. */
        CreateUser: {
            /** @description How the person wants to be called. */
            display_name?: string | null;
            /** @description A mail address. */
            email?: string | null;
            /**
             * Format: password
             * @description A first password; a one-time password is made when it is absent. Either way it must be changed at the first
             *     sign-in.
             */
            password?: string | null;
            /** @description `viewer`, `operator` or `admin`. */
            role: string;
            /** @description The name to sign in with: letters, digits and `. - _ @ + \`. */
            username: string;
        };
        /** @description What a test of the directory found. */
        DirectoryTest: {
            /** @description The person's groups, if one was asked for and found. */
            groups: string[];
            /** @description Whether all is well. */
            ok: boolean;
            /** @description The role that these make. */
            role?: string | null;
            /** @description The group that decided; the default role when absent. */
            role_mapped_by?: string | null;
            /** @description What was looked at, in order. */
            steps: components["schemas"]["TestStep"][];
        };
        /** @description Asks what would become of somebody. */
        DryRun: {
            /** @description The claims of an ID token. */
            claims: Record<string, never>;
        };
        /** @description What would become of somebody. */
        DryRunResult: {
            /** @description `sign_in`, `link`, `provision`, `account_inactive` or `not_provisioned`. */
            decision: string;
            /** @description The role. */
            role: string;
            /** @description The group that decided; the default role when absent. */
            role_mapped_by?: string | null;
            /** @description The account, or the name that it would get. */
            username?: string | null;
        };
        /** @description Where to go so that the session at the provider ends too. */
        EndSession: {
            /** @description The address, to be opened after signing out here; `null` when there is nothing to end. */
            end_session_url?: string | null;
        };
        /** @description Somebody asks for the place of a component: a host that is set up anew, or one that only says that it is that host. */
        EnrollmentRequest: {
            /**
             * Format: date-time
             * @description When it was approved, which is good for 24 hours; `null` while it waits.
             */
            approved_at?: string | null;
            /** @description From which address. */
            client?: string | null;
            /** @description The component whose place is asked for. */
            component_id: string;
            /** @description The host that it runs on. */
            hostname?: string | null;
            /** @description `agent` or `collector`. */
            kind: string;
            /** @description Its name. */
            name: string;
            /**
             * Format: date-time
             * @description When this caller first asked.
             */
            requested_at: string;
            /** @description Its status. */
            status: string;
            /** @description The version of the program that asks. */
            version: string;
        };
        /** @description An enrollment token, without its value. */
        EnrollmentToken: {
            /**
             * Format: date-time
             * @description When it was made.
             */
            created_at: string;
            /** @description What it is for. */
            description: string;
            /**
             * Format: date-time
             * @description Until when it is good; `null`: without an end.
             */
            expires_at?: string | null;
            /** @description Its identifier. */
            id: string;
            /**
             * Format: date-time
             * @description When a component last registered with it.
             */
            last_used_at?: string | null;
            /**
             * Format: int32
             * @description How many components may register with it; `null`: any number.
             */
            max_uses?: number | null;
            /** @description Whether more than one component may register with it. */
            multi_use: boolean;
            /**
             * Format: int32
             * @description How many have.
             */
            uses: number;
        };
        /** @description An error. Never repeats the input, never tells of the server's inside. */
        Error: {
            /** @description What kind of error, for programs: a stable `snake_case` word. */
            error: string;
            /** @description Which field of the request is meant. */
            field?: string | null;
            /** @description One sentence that a person can act on. */
            message: string;
            /** @description Names the request in the server's logs and audit entries; also in the `X-Request-Id` header. */
            request_id: string;
        };
        /** @description A rotation of the fleet, and how far it is. */
        FleetRotation: {
            /**
             * Format: int64
             * @description How many were asked so far.
             */
            asked: number;
            /**
             * Format: date-time
             * @description When it ended.
             */
            ended_at?: string | null;
            /** @description Its identifier. */
            id: string;
            /** @description Components of this kind only; absent: of all. */
            kind?: string | null;
            /**
             * Format: int64
             * @description How many of those went silent, are refused or were shut out.
             */
            lost: number;
            /**
             * Format: int32
             * @description Beyond which share of lost components it stops by itself.
             */
            max_refused_percent: number;
            /** @description Why it stopped by itself, if it did. */
            reason?: string | null;
            /**
             * Format: int64
             * @description How many of those use their new keys.
             */
            rotated: number;
            /**
             * Format: date-time
             * @description When.
             */
            started_at: string;
            /** @description Who began it. */
            started_by: string;
            /** @description `running`, `finished`, `stopped` or `cancelled`. */
            state: string;
            /**
             * Format: int64
             * @description How many components there were to ask when it began.
             */
            total: number;
            /**
             * Format: date-time
             * @description When its last wave began.
             */
            wave_began_at?: string | null;
            /**
             * Format: int32
             * @description How many components a wave has at the most.
             */
            wave_size: number;
            /**
             * Format: int64
             * @description How long a wave is waited for at the most.
             */
            wave_timeout_seconds: number;
            /**
             * Format: int64
             * @description How many waves have begun.
             */
            waves: number;
        };
        /** @description A sign of life, every 10 seconds. */
        Heartbeat: {
            /** @description The host that the component runs on. */
            hostname: string;
            /** @description Its operating system. */
            os: string;
            /** @description The version of its program. */
            version: string;
        };
        /** @description The answer to a heartbeat. */
        HeartbeatAnswer: {
            /** @description Whether the component should rotate its key now. */
            rotate: boolean;
            /**
             * Format: date-time
             * @description The server's time.
             */
            server_time: string;
        };
        /** @description The last report of a component. */
        LastReport: {
            /** @description The configuration it speaks of. */
            config_hash: string;
            /** @description What it has to say about it. */
            message: string;
            /**
             * Format: date-time
             * @description When it said so.
             */
            reported_at: string;
            /** @description `applied`, `validation_error` or `rolled_back`. */
            status: string;
        };
        /** @description Reports a leaked key, which ends it. */
        LeakReport: {
            /** @description The whole key. */
            api_key: string;
        };
        /** @description Signs in with a password. */
        Login: {
            /**
             * Format: password
             * @description Its password.
             */
            password: string;
            /** @description The account's name, in any spelling. */
            username: string;
        };
        /** @description The person who is signed in. */
        Me: {
            /** @description Who vouches for the account: `local`, `ldap` or `oidc`. */
            auth_source: string;
            /** @description How the person wants to be called; may be empty. */
            display_name: string;
            /** @description A mail address, for information. */
            email?: string | null;
            /** @description The account's identifier. */
            id: string;
            /** @description Whether the password must be changed before anything else. */
            must_change_password: boolean;
            /** @description `viewer`, `operator` or `admin`. */
            role: string;
            /** @description Its name, in canonical form. */
            username: string;
        };
        /** @description An `OpenID` Connect provider, without its client secret. */
        OidcProvider: {
            /** @description Whether people who were never here get an account. */
            auto_provision: boolean;
            /** @description To be registered at the provider. */
            backchannel_logout_uri: string;
            /** @description The name of this installation there. */
            client_id: string;
            /**
             * Format: date-time
             * @description When it was set up.
             */
            created_at: string;
            /** @description The role without a mapping. */
            default_role: string;
            /** @description Whether people can sign in through it. */
            enabled: boolean;
            endpoints?: components["schemas"]["ProviderEndpoints"] | null;
            /** @description The claim that holds the groups. */
            groups_claim: string;
            /** @description Whether a client secret is stored. */
            has_client_secret: boolean;
            /** @description Its identifier. */
            id: string;
            /** @description With what its ID tokens may be signed. */
            id_token_signing_algs: string[];
            /** @description Its issuer, byte for byte. */
            issuer: string;
            /** @description Whether an account may be found by a verified mail address at the first sign-in. */
            link_verified_email: boolean;
            /** @description What people call it; unique. */
            name: string;
            /** @description To be registered at the provider. */
            post_logout_redirect_uri: string;
            /** @description To be registered at the provider. */
            redirect_uri: string;
            /** @description The roles with one. */
            role_mappings: components["schemas"]["RoleMapping"][];
            /** @description What is asked for. */
            scopes: string[];
            /** @description `client_secret_basic`, `client_secret_post` or `none`. */
            token_endpoint_auth_method: string;
            /** @description The domains for which its word about a mail address counts. */
            verified_domains: string[];
        };
        /** @description A component's own new key: the only time it is seen. The old one lives until this one is first used. */
        OwnKey: {
            /** @description The key, for the `X-API-Key` header. */
            api_key: string;
            /** @description The component. */
            component_id: string;
        };
        /** @description One page of a list. */
        Page_Attempt: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When.
                 */
                at: string;
                /** @description From which address. */
                client_address?: string | null;
                /** @description `signed_in`, or the code that the sign-in page showed. */
                code: string;
                provider?: components["schemas"]["Provider"] | null;
                /** @description What it is found by. */
                reference: string;
                /** @description What was looked at, in order. */
                steps: components["schemas"]["AttemptStep"][];
                /** @description Who, if that was proved. */
                username?: string | null;
            }[];
            /** @description Asks for the next page; `null` on the last one. */
            next_cursor?: string | null;
            /**
             * Format: int64
             * @description How many items match, over all pages.
             */
            total: number;
        };
        /** @description One page of a list. */
        Page_AuditEntry: {
            /** @description The items. */
            items: {
                /** @description What, such as `component.rotate`. */
                action: string;
                /** @description Who. */
                actor: components["schemas"]["AuditActor"];
                /**
                 * Format: date-time
                 * @description When, in UTC.
                 */
                at: string;
                /** @description From which address. */
                client_address?: string | null;
                /** @description What else is worth knowing. */
                details: {
                    [key: string]: string;
                };
                /** @description SHA-256 over this entry and the hash of the one before, in hexadecimal. */
                hash: string;
                /** @description `success`, `failure` or `denied`. */
                outcome: string;
                /** @description Under which request. */
                request_id?: string | null;
                resource?: components["schemas"]["AuditResource"] | null;
                /**
                 * Format: int64
                 * @description Its position in the log, from 1, without gaps.
                 */
                seq: number;
            }[];
            /** @description Asks for the next page; `null` on the last one. */
            next_cursor?: string | null;
            /**
             * Format: int64
             * @description How many items match, over all pages.
             */
            total: number;
        };
        /** @description One page of a list. */
        Page_Component: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was created.
                 */
                created_at: string;
                /** @description The host that it runs on. */
                hostname?: string | null;
                /** @description Its identifier. */
                id: string;
                /**
                 * Format: date-time
                 * @description When that key was made.
                 */
                key_created_at: string;
                /** @description The first 12 characters of its key. */
                key_prefix: string;
                /** @description `agent` or `collector`. */
                kind: string;
                /**
                 * Format: date-time
                 * @description When it last made a request, give or take a few seconds.
                 */
                last_seen_at?: string | null;
                /** @description From which address. */
                last_seen_ip?: string | null;
                /** @description What people call it; unique. */
                name: string;
                /**
                 * Format: date-time
                 * @description When it was shut out.
                 */
                revoked_at?: string | null;
                /**
                 * Format: date-time
                 * @description Since when it has been asked to rotate that key; absent when it is not.
                 */
                rotation_requested_at?: string | null;
                /** @description `pending`, `active`, `offline` or `revoked`. */
                status: string;
                /** @description The program version that it last reported. */
                version?: string | null;
            }[];
            /** @description Asks for the next page; `null` on the last one. */
            next_cursor?: string | null;
            /**
             * Format: int64
             * @description How many items match, over all pages.
             */
            total: number;
        };
        /** @description One page of a list. */
        Page_EnrollmentRequest: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was approved, which is good for 24 hours; `null` while it waits.
                 */
                approved_at?: string | null;
                /** @description From which address. */
                client?: string | null;
                /** @description The component whose place is asked for. */
                component_id: string;
                /** @description The host that it runs on. */
                hostname?: string | null;
                /** @description `agent` or `collector`. */
                kind: string;
                /** @description Its name. */
                name: string;
                /**
                 * Format: date-time
                 * @description When this caller first asked.
                 */
                requested_at: string;
                /** @description Its status. */
                status: string;
                /** @description The version of the program that asks. */
                version: string;
            }[];
            /** @description Asks for the next page; `null` on the last one. */
            next_cursor?: string | null;
            /**
             * Format: int64
             * @description How many items match, over all pages.
             */
            total: number;
        };
        /** @description One page of a list. */
        Page_EnrollmentToken: {
            /** @description The items. */
            items: {
                /**
                 * Format: date-time
                 * @description When it was made.
                 */
                created_at: string;
                /** @description What it is for. */
                description: string;
                /**
                 * Format: date-time
                 * @description Until when it is good; `null`: without an end.
                 */
                expires_at?: string | null;
                /** @description Its identifier. */
                id: string;
                /**
                 * Format: date-time
                 * @description When a component last registered with it.
                 */
                last_used_at?: string | null;
                /**
                 * Format: int32
                 * @description How many components may register with it; `null`: any number.
                 */
                max_uses?: number | null;
                /** @description Whether more than one component may register with it. */
                multi_use: boolean;
                /**
                 * Format: int32
                 * @description How many have.
                 */
                uses: number;
            }[];
            /** @description Asks for the next page; `null` on the last one. */
            next_cursor?: string | null;
            /**
             * Format: int64
             * @description How many items match, over all pages.
             */
            total: number;
        };
        /** @description One page of a list. */
        Page_OidcProvider: {
            /** @description The items. */
            items: {
                /** @description Whether people who were never here get an account. */
                auto_provision: boolean;
                /** @description To be registered at the provider. */
                backchannel_logout_uri: string;
                /** @description The name of this installation there. */
                client_id: string;
                /**
                 * Format: date-time
                 * @description When it was set up.
                 */
                created_at: string;
                /** @description The role without a mapping. */
                default_role: string;
                /** @description Whether people can sign in through it. */
                enabled: boolean;
                endpoints?: components["schemas"]["ProviderEndpoints"] | null;
                /** @description The claim that holds the groups. */
                groups_claim: string;
                /** @description Whether a client secret is stored. */
                has_client_secret: boolean;
                /** @description Its identifier. */
                id: string;
                /** @description With what its ID tokens may be signed. */
                id_token_signing_algs: string[];
                /** @description Its issuer, byte for byte. */
                issuer: string;
                /** @description Whether an account may be found by a verified mail address at the first sign-in. */
                link_verified_email: boolean;
                /** @description What people call it; unique. */
                name: string;
                /** @description To be registered at the provider. */
                post_logout_redirect_uri: string;
                /** @description To be registered at the provider. */
                redirect_uri: string;
                /** @description The roles with one. */
                role_mappings: components["schemas"]["RoleMapping"][];
                /** @description What is asked for. */
                scopes: string[];
                /** @description `client_secret_basic`, `client_secret_post` or `none`. */
                token_endpoint_auth_method: string;
                /** @description The domains for which its word about a mail address counts. */
                verified_domains: string[];
            }[];
            /** @description Asks for the next page; `null` on the last one. */
            next_cursor?: string | null;
            /**
             * Format: int64
             * @description How many items match, over all pages.
             */
            total: number;
        };
        /** @description One page of a list. */
        Page_User: {
            /** @description The items. */
            items: {
                /** @description Whether the person may sign in. */
                active: boolean;
                /** @description Who vouches for the account: `local`, `ldap` or `oidc`. */
                auth_source: string;
                /** @description Whether it is the account that came with the installation. */
                built_in: boolean;
                /**
                 * Format: date-time
                 * @description When the account was made.
                 */
                created_at: string;
                /** @description How the person wants to be called; may be empty. */
                display_name: string;
                /** @description A mail address, for information. */
                email?: string | null;
                /** @description Its identifier. */
                id: string;
                /**
                 * Format: date-time
                 * @description When the person last signed in.
                 */
                last_sign_in_at?: string | null;
                /** @description Whether the password must be changed before anything else. */
                must_change_password: boolean;
                /** @description `viewer`, `operator` or `admin`. */
                role: string;
                /** @description Its name, in canonical form. */
                username: string;
            }[];
            /** @description Asks for the next page; `null` on the last one. */
            next_cursor?: string | null;
            /**
             * Format: int64
             * @description How many items match, over all pages.
             */
            total: number;
        };
        /** @description An identity provider that people can sign in through. */
        Provider: {
            /** @description Its identifier. */
            id: string;
            /** @description What the button says. */
            name: string;
        };
        /** @description Where a provider is spoken to (`OpenID` Connect Discovery 1.0 §3). */
        ProviderEndpoints: {
            /** @description Where browsers are sent. */
            authorization_endpoint: string;
            /** @description Where browsers are sent to sign out. */
            end_session_endpoint?: string | null;
            /** @description Where the keys are. */
            jwks_uri: string;
            /** @description Where codes are exchanged. */
            token_endpoint: string;
        };
        /** @description What a test found. */
        ProviderTest: {
            /** @description Whether all is well, as far as that can be seen from here. */
            ok: boolean;
            /** @description What was looked at, in order. */
            steps: components["schemas"]["TestStep"][];
        };
        /**
         * @description Registers a component. A client that may be interrupted sends an `Idempotency-Key` of its own, 43 characters that nobody can
         *     guess: the same request with the same one is answered again, with a new key, until a key of it was used.
         */
        Register: {
            /** @description `agent` or `collector`. */
            component_type: string;
            /** @description The value of an enrollment token. */
            enrollment_token: string;
            /** @description The host that the component runs on, which becomes its name. */
            hostname: string;
            /** @description The version of its program. */
            version: string;
        };
        /** @description The only sight of a one-time password. */
        ResetPassword: {
            /** @description The one-time password. It works for 24 hours and must be changed at sign-in. */
            one_time_password: string;
            /** @description The user. */
            user: components["schemas"]["User"];
        };
        /** @description Members of a group get a role. */
        RoleMapping: {
            /** @description The group, as the provider writes it. */
            group: string;
            /**
             * Format: int32
             * @description Which mapping wins for a member of several groups: the highest; of equals the higher role. 0 when absent.
             */
            priority?: number;
            /** @description `viewer`, `operator` or `admin`. */
            role: string;
        };
        /** @description How the old key ends when a new one is made. */
        RotateComponent: {
            /**
             * Format: int32
             * @description The old key lives on until the new one is first used or this many seconds pass, at most 30 days. Absent: it is
             *     dead at once.
             */
            grace_seconds?: number | null;
        };
        /** @description A session, without its secrets. */
        Session: {
            /** @description From which address it was opened. */
            client_address?: string | null;
            /**
             * Format: date-time
             * @description When it was opened.
             */
            created_at: string;
            /** @description Whether it is the one that asks. */
            current: boolean;
            /**
             * Format: date-time
             * @description When it ends at the latest.
             */
            expires_at: string;
            /** @description Its identifier. Not a credential. */
            id: string;
            /**
             * Format: date-time
             * @description When it was last used, give or take a minute.
             */
            last_seen_at: string;
            /** @description With which program, as that program said. */
            user_agent: string;
        };
        /** @description A new session. The same answer sets the session cookie, which holds another secret. */
        SignedIn: {
            /**
             * Format: date-time
             * @description When the session ends at the latest.
             */
            expires_at: string;
            /** @description The secret for `Authorization: Bearer`. */
            token: string;
            /** @description Who signed in. */
            user: components["schemas"]["Me"];
        };
        /** @description How the fleet is to be rotated; what is absent is as usual. */
        StartFleetRotation: {
            /** @description Components of this kind only, `agent` or `collector`. Absent: all. */
            kind?: string | null;
            /**
             * Format: int32
             * @description It stops by itself when more than this share of those asked went silent or are refused. Absent: 5.
             */
            max_refused_percent?: number | null;
            /**
             * Format: int32
             * @description How many components a wave has at the most. Absent: 50.
             */
            wave_size?: number | null;
            /**
             * Format: int32
             * @description How long a wave is waited for at the most. Absent: 300.
             */
            wave_timeout_seconds?: number | null;
        };
        /** @description Tests the directory, and with a name and a password what it says about somebody. */
        TestDirectory: {
            /**
             * Format: password
             * @description Their password.
             */
            password?: string | null;
            /** @description Somebody's name in the directory. */
            username?: string | null;
        };
        /** @description One thing that was tested. */
        TestStep: {
            /** @description What to fix if it is not. */
            advice?: string | null;
            /** @description What was looked at. */
            check: string;
            /** @description Whether it is well. */
            ok: boolean;
        };
        /** @description Changes what describes a component; a field that is absent stays as it is. */
        UpdateComponent: {
            /** @description Another host name; `null` removes it. */
            hostname?: string | null;
            /** @description Another name. */
            name?: string | null;
        };
        /** @description Changes an `OpenID` Connect provider; a field that is absent stays as it is. */
        UpdateOidcProvider: {
            /** @description Whether people who were never here get an account. */
            auto_provision?: boolean | null;
            /** @description Another name of this installation there. */
            client_id?: string | null;
            /**
             * Format: password
             * @description Another client secret; `null` removes it.
             */
            client_secret?: string | null;
            /** @description The role without a mapping. */
            default_role?: string | null;
            /** @description Whether people can sign in through it. */
            enabled?: boolean | null;
            /** @description The claim that holds the groups. */
            groups_claim?: string | null;
            /** @description With what its ID tokens may be signed. */
            id_token_signing_algs?: string[] | null;
            /** @description Another issuer; the client secret has to be given anew with it. */
            issuer?: string | null;
            /** @description Whether an account may be found by a verified mail address. */
            link_verified_email?: boolean | null;
            /** @description Another name. */
            name?: string | null;
            /** @description The roles with one. */
            role_mappings?: components["schemas"]["RoleMapping"][] | null;
            /** @description What is asked for. */
            scopes?: string[] | null;
            /** @description `client_secret_basic`, `client_secret_post` or `none`. */
            token_endpoint_auth_method?: string | null;
            /** @description The domains for which its word about a mail address counts. */
            verified_domains?: string[] | null;
        };
        /** @description Changes a user; a field that is absent stays as it is. A new role and deactivation end all sessions of the user. */
        UpdateUser: {
            /** @description Whether the person may sign in. */
            active?: boolean | null;
            /** @description Another display name. */
            display_name?: string | null;
            /** @description Another mail address; `null` removes it. */
            email?: string | null;
            /** @description Another role. */
            role?: string | null;
        };
        /** @description A person who may sign in. */
        User: {
            /** @description Whether the person may sign in. */
            active: boolean;
            /** @description Who vouches for the account: `local`, `ldap` or `oidc`. */
            auth_source: string;
            /** @description Whether it is the account that came with the installation. */
            built_in: boolean;
            /**
             * Format: date-time
             * @description When the account was made.
             */
            created_at: string;
            /** @description How the person wants to be called; may be empty. */
            display_name: string;
            /** @description A mail address, for information. */
            email?: string | null;
            /** @description Its identifier. */
            id: string;
            /**
             * Format: date-time
             * @description When the person last signed in.
             */
            last_sign_in_at?: string | null;
            /** @description Whether the password must be changed before anything else. */
            must_change_password: boolean;
            /** @description `viewer`, `operator` or `admin`. */
            role: string;
            /** @description Its name, in canonical form. */
            username: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
