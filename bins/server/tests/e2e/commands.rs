//! The command line, beside a server that runs: what it prints where, what it exits with, and what it changes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use stratora_testing::PostgresDatabase;

use crate::support::{Installation, PASSWORD, on_both_databases, sign_in};

on_both_databases!(
    an_administrator_is_always_let_back_in,
    keys_that_a_command_makes_and_ends_are_so_for_the_running_server,
    the_audit_log_cannot_be_changed_unnoticed,
);

/// What a command that succeeded printed on its standard output.
#[track_caller]
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().trim_end().to_owned()
}

#[track_caller]
fn refused(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn an_administrator_is_always_let_back_in(mut installation: Installation) {
    let old = installation.admin().await;
    let backend = installation.backend();
    let one_time = printed(&installation.run(&["admin", "reset-password"]));
    assert!(!one_time.contains(char::is_whitespace), "nothing but the password: {one_time}");
    let me = async |token: &str| backend.get("/api/v1/auth/me").bearer(token).send().await.unwrap();
    assert_eq!(me(&old).await.status, 401);
    let new = sign_in(&backend, "admin", &one_time, "203.0.113.1").await;
    assert_eq!(me(&new).await.json()["must_change_password"], true);
    printed(&installation.run(&["sessions", "revoke", "--username", "Admin"]));
    assert_eq!(me(&new).await.status, 401);
    refused(&installation.run(&["admin", "reset-password", "--username", "nobody"]), 1);
    refused(&installation.run(&["admin", "set-password"]), 2);
}

async fn keys_that_a_command_makes_and_ends_are_so_for_the_running_server(installation: Installation) {
    let backend = installation.backend();
    let key = printed(&installation.run(&["keys", "create", "--name", "Berlin", "--kind", "collector"]));
    assert_eq!(key.len(), 51);
    let list = printed(&installation.run(&["keys", "list", "--json"]));
    let listed: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!((&listed["name"], &listed["key_prefix"]), (&"Berlin".into(), &key[..12].into()));
    let id = listed["id"].as_str().unwrap();
    let pull = async |key: &str| {
        backend.get(&format!("/api/v1/remote-collectors/{id}/config")).key(key).send().await.unwrap().error()
    };
    assert_eq!(pull(&key).await, "no_config");
    let new = printed(&installation.run(&["keys", "rotate", id]));
    assert_eq!(pull(&key).await, "key_rotated");
    assert_eq!(pull(&new).await, "no_config");
    printed(&installation.run(&["keys", "revoke", id]));
    assert_eq!(pull(&new).await, "key_revoked");
    refused(&installation.run(&["keys", "rotate", id]), 1);
    refused(&installation.run(&["keys", "revoke", "Berlin"]), 2);
    refused(&installation.run(&["keys", "create", "--name", "Berlin", "--kind", "agent"]), 1);
}

async fn the_audit_log_cannot_be_changed_unnoticed(mut installation: Installation) {
    let _token = installation.admin().await;
    printed(&installation.run(&["audit", "verify"]));
    let change = "UPDATE audit_records SET actor_name = 'mallory' WHERE seq = 2";
    for statement in [change, "DELETE FROM audit_records WHERE seq = 2"] {
        assert!(!execute(&installation, statement), "the database refuses: {statement}");
    }
    let unlocked = if installation.postgres.is_some() {
        execute(&installation, &format!("ALTER TABLE audit_records DISABLE TRIGGER ALL; {change}"))
    } else {
        let triggers = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_master WHERE type = 'trigger'";
        let drop = sqlite(&installation, triggers).unwrap();
        execute(&installation, &format!("{drop}; {change}"))
    };
    assert!(unlocked);
    let found = refused(&installation.run(&["audit", "verify"]), 1);
    assert!(found.contains("record 2"), "{found}");
}

/// Runs SQL past the product. Returns whether the database took it.
fn execute(installation: &Installation, sql: &str) -> bool {
    match &installation.postgres {
        Some(postgres) => postgres.run(sql).is_ok(),
        None => sqlite(installation, sql).is_some(),
    }
}

fn sqlite(installation: &Installation, sql: &str) -> Option<String> {
    const SCRIPT: &str = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=5)
if sys.argv[2].startswith('SELECT'):
    print(db.execute(sys.argv[2]).fetchone()[0])
else:
    db.executescript(sys.argv[2])
";
    let database = installation.path("stratora.db");
    let output = Command::new("python3").arg("-c").arg(SCRIPT).arg(database).arg(sql).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[tokio::test]
async fn users_of_another_installation_are_taken_over_with_their_passwords() {
    let installation = Installation::on_sqlite();
    let file = installation.path("users.jsonl");
    // The published test vector of bcrypt's authors: the password is U*U.
    let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    let good = format!("{{\"username\":\"ada\",\"role\":\"viewer\",\"password_hash\":\"{hash}\"}}\n");
    fs::write(&file, format!("{good}\n{{\"username\":\"eve\",\"role\":\"king\",\"password_hash\":\"{hash}\"}}\n"))
        .unwrap();
    let path = file.display().to_string();
    let message = refused(&installation.run(&["import-users", &path]), 1);
    assert!(message.contains("line 3") && !message.contains("$2a$"), "{message}");
    fs::write(&file, good).unwrap();
    printed(&installation.run(&["import-users", &path]));
    sign_in(&installation.backend(), "ada", "U*U", "203.0.113.1").await;
    let stored = sqlite(&installation, "SELECT password FROM accounts WHERE username = 'ada'").unwrap();
    assert!(stored.starts_with("hmac-sha384:$2b$12$"), "{stored}");
    sign_in(&installation.backend(), "ada", "U*U", "203.0.113.2").await;
    refused(&installation.run(&["import-users", &path]), 1);
}

#[test]
fn settings_that_are_wrong_stop_the_start_with_their_place() {
    let installation = Installation::prepare(None, "session:\n  idle_timout: 5m\n");
    let message = refused(&installation.run(&["serve"]), 1);
    assert!(message.contains("config.yaml") && message.contains("idle_timout"), "{message}");
    let installation = Installation::prepare(None, "");
    let mut command = installation.command(&["serve"]);
    let message = refused(&command.env("STRATORA__SERVER__PORT", "99999").output().unwrap(), 1);
    assert!(message.contains("server.port"), "{message}");
}

#[test]
fn listening_beyond_loopback_is_warned_about() {
    let mut installation = Installation::prepare(None, "");
    let settings = fs::read_to_string(installation.settings()).unwrap();
    fs::write(installation.settings(), settings.replace("host: 127.0.0.1", "host: 0.0.0.0")).unwrap();
    installation.start_server();
    let log = installation.server().stderr();
    assert!(log.contains("WARN") && log.contains("server.host"), "{log}");
}

#[test]
fn as_a_service_the_first_password_goes_into_a_file_of_its_own() {
    let mut installation = Installation::prepare(None, "");
    let mut command = installation.command(&["serve"]);
    command.env("INVOCATION_ID", "0123456789abcdef");
    installation.start_command(&mut command);
    let file = installation.path("initial-admin-password");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let password = fs::read_to_string(&file).unwrap();
    assert_eq!(password.trim().len(), 29);
    let server = installation.server();
    assert!(server.stdout().is_empty() && !server.stderr().contains(password.trim()));
}

#[test]
fn a_role_that_may_not_create_tables_serves_what_another_has_migrated() {
    let postgres = PostgresDatabase::create().unwrap();
    let owner = Installation::prepare(Some(postgres), "");
    printed(&owner.run(&["migrate"]));
    let postgres = owner.postgres.as_ref().unwrap();
    let role = format!("server_{}", owner.port);
    for statement in [
        format!("CREATE ROLE {role} LOGIN"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"),
    ] {
        postgres.run(&statement).unwrap();
    }
    let url = postgres.url().replace("stratora@", &format!("{role}@"));
    let mut served = Installation::prepare(None, "");
    let settings = fs::read_to_string(served.settings()).unwrap();
    let (before, after) = settings.split_once("  url: \"sqlite:").unwrap();
    let rest = after.split_once('\n').unwrap().1;
    fs::write(served.settings(), format!("{before}  url: \"{url}\"\n{rest}")).unwrap();
    served.start_server();
    assert_eq!(served.one_time_password().len(), 29);
}

#[test]
fn the_nginx_site_is_rendered_again_without_touching_the_certificate() {
    let mut installation = Installation::prepare(None, "");
    installation.start_nginx();
    let certificate = installation.path("nginx/certificate.pem");
    let first = fs::read(&certificate).unwrap();
    let key = fs::metadata(installation.path("nginx/certificate-key.pem")).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let dir = installation.path("nginx").display().to_string();
    printed(&installation.run(&["nginx", "render", "--dir", &dir]));
    assert_eq!(fs::read(&certificate).unwrap(), first);
    let shown = Command::new("openssl").args(["x509", "-noout", "-text", "-in"]).arg(&certificate).output().unwrap();
    let shown = printed(&shown);
    assert!(shown.contains("DNS:localhost") && shown.contains("prime256v1"), "{shown}");
    refused(&installation.run(&["nginx", "render", "--dir", &dir, "--server-name", "a; b"]), 1);
}

#[tokio::test]
async fn passwords_do_not_show_where_processes_or_logs_are_listed() {
    let mut installation = Installation::on_sqlite();
    let one_time = installation.one_time_password();
    let _token = installation.admin().await;
    let output = installation.all_output();
    assert!(!output.contains(&one_time) && !output.contains(PASSWORD));
}
