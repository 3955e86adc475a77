//! The tables, as the migrations make them on both databases. What the columns mean is written there.

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    audit_records (seq) {
        seq -> BigInt,
        at -> Instant,
        day -> BigInt,
        actor_kind -> Text,
        actor_id -> Nullable<Id>,
        actor_name -> Text,
        action -> Text,
        resource_kind -> Nullable<Text>,
        resource_id -> Nullable<Id>,
        resource_name -> Nullable<Text>,
        outcome -> Text,
        client -> Nullable<Text>,
        request_id -> Nullable<Id>,
        details -> Text,
        search_text -> Text,
        hash -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer};

    audit_head (id) {
        id -> Integer,
        seq -> BigInt,
        hash -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    accounts (id) {
        number -> BigInt,
        id -> Id,
        username -> Text,
        display_name -> Text,
        email -> Nullable<Text>,
        role -> Text,
        source -> Text,
        active -> Bool,
        password -> Nullable<Text>,
        must_change_password -> Bool,
        password_expires_at -> Nullable<Instant>,
        built_in -> Bool,
        created_at -> Instant,
        last_sign_in_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    sessions (id) {
        id -> Id,
        account_number -> BigInt,
        token_digest -> Binary,
        cookie_digest -> Binary,
        created_at -> Instant,
        last_seen_at -> Instant,
        expires_at -> Instant,
        confirm_by -> Nullable<Instant>,
        client -> Nullable<Text>,
        user_agent -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{Integer, Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    brakes (username, device) {
        username -> Text,
        device -> Id,
        failures -> Integer,
        last_failure_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Text};
    use crate::sql_types::sql::Instant;

    rate_windows (quota, client) {
        quota -> Text,
        client -> Text,
        hits -> Binary,
        last_hit_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    components (id) {
        number -> BigInt,
        id -> Id,
        name -> Text,
        name_folded -> Text,
        hostname -> Nullable<Text>,
        kind -> Text,
        standing -> Text,
        key_prefix -> Text,
        key_created_at -> Instant,
        last_seen_at -> Nullable<Instant>,
        last_seen_ip -> Nullable<Text>,
        version -> Nullable<Text>,
        created_at -> Instant,
        revoked_at -> Nullable<Instant>,
        rotation_requested_at -> Nullable<Instant>,
        config_etag -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    component_keys (id) {
        id -> Id,
        component_number -> BigInt,
        digest -> Binary,
        hash -> Text,
        state -> Text,
        grace_until -> Nullable<Instant>,
        created_at -> Instant,
        first_used_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::sql_types::sql::Id;

    component_configs (component_id) {
        component_id -> Id,
        body -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::sql_types::sql::{Id, Instant};

    component_reports (component_id) {
        component_id -> Id,
        config_hash -> Text,
        status -> Text,
        message -> Text,
        at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Bool, Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    oidc_providers (id) {
        id -> Id,
        name -> Text,
        enabled -> Bool,
        settings -> Text,
        secret -> Nullable<Binary>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::Binary;
    use crate::sql_types::sql::{Id, Instant};

    oidc_transactions (state) {
        state -> Binary,
        provider_id -> Id,
        binding -> Binary,
        secrets -> Binary,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    oidc_identities (provider_id, issuer, subject) {
        provider_id -> Id,
        issuer -> Text,
        subject -> Text,
        account_id -> Id,
        verified_email -> Nullable<Text>,
        created_at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::sql_types::sql::Id;

    oidc_sessions (session_id) {
        session_id -> Id,
        provider_id -> Id,
        subject -> Text,
        sid -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    oidc_attempts (reference) {
        reference -> Text,
        provider_id -> Nullable<Id>,
        provider_name -> Text,
        at -> Instant,
        client -> Nullable<Text>,
        code -> Text,
        username -> Nullable<Text>,
        steps -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Bool, Integer, Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    enrollment_tokens (id) {
        id -> Id,
        digest -> Binary,
        description -> Text,
        multi_use -> Bool,
        max_uses -> Nullable<Integer>,
        uses -> Integer,
        created_at -> Instant,
        expires_at -> Nullable<Instant>,
        last_used_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Bool};
    use crate::sql_types::sql::{Id, Instant};

    enrollments (component_id) {
        component_id -> Id,
        token_id -> Id,
        repeat_digest -> Binary,
        key_id -> Id,
        was_new -> Bool,
        at -> Instant,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    enrollment_requests (component_id) {
        component_id -> Id,
        token_id -> Id,
        repeat_digest -> Nullable<Binary>,
        client -> Nullable<Text>,
        version -> Text,
        requested_at -> Instant,
        approved_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::BigInt;
    use crate::sql_types::sql::Id;

    /// On PostgreSQL only.
    replicas (id) {
        id -> Id,
        renewals -> BigInt,
        acknowledged -> BigInt,
        lease_ms -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::sql_types::sql::Id;

    /// On PostgreSQL only.
    invalidations (seq) {
        seq -> BigInt,
        subject_kind -> Text,
        subject -> Id,
        issued -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::sql_types::sql::{Id, Instant};

    fleet_rotations (id) {
        id -> Id,
        kind -> Nullable<Text>,
        wave_size -> BigInt,
        max_refused_percent -> BigInt,
        wave_timeout_seconds -> BigInt,
        state -> Text,
        reason -> Nullable<Text>,
        total -> BigInt,
        wave -> BigInt,
        wave_began_at -> Nullable<Instant>,
        started_by -> Text,
        started_at -> Instant,
        ended_at -> Nullable<Instant>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable};
    use crate::sql_types::sql::{Id, Instant};

    fleet_rotation_members (rotation_id, component_id) {
        rotation_id -> Id,
        component_id -> Id,
        wave -> BigInt,
        key_id -> Id,
        asked_at -> Nullable<Instant>,
    }
}

diesel::joinable!(component_configs -> components (component_id));
diesel::joinable!(enrollment_requests -> components (component_id));
diesel::joinable!(oidc_identities -> accounts (account_id));
diesel::allow_tables_to_appear_in_same_query!(accounts, oidc_identities);
diesel::allow_tables_to_appear_in_same_query!(accounts, sessions);
diesel::allow_tables_to_appear_in_same_query!(oidc_sessions, sessions);
diesel::allow_tables_to_appear_in_same_query!(component_configs, components);
diesel::allow_tables_to_appear_in_same_query!(components, enrollment_requests);
diesel::joinable!(fleet_rotation_members -> components (component_id));
diesel::allow_tables_to_appear_in_same_query!(components, component_keys, fleet_rotation_members);
