//! What is said to the directory on one connection, and what is made of its answers.

use ldap3::{Ldap, Scope, SearchEntry, SearchOptions, ldap_escape};
use stratora_auth::{DisplayName, EmailAddress, Username};

use crate::distinguished_name::DistinguishedName;
use crate::failure::{Failure, Refusal, Trouble, of_bind};
use crate::settings::{Binding, DirectorySettings};

/// Asks for no attributes (RFC 4511 §4.5.1.8).
const NOTHING: &str = "1.1";

/// Matches along chains of membership (MS-ADTS §3.1.1.3.4.4.3).
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// More than one entry is one too many; a second is asked for to see that there is none.
const PEOPLE: usize = 2;

/// The most groups that are read. Ten times what Active Directory lets one person have in effect (1015).
const MAX_GROUPS: usize = 10_000;

/// Where in a conversation one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Waiting,
    Connect,
    Tls,
    ServiceBind,
    Search,
    Bind,
    Entry,
    Groups,
}

impl Stage {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "queue",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::ServiceBind => "service_bind",
            Self::Search => "search",
            Self::Bind => "bind",
            Self::Entry => "entry",
            Self::Groups => "groups",
        }
    }
}

/// How far a conversation came.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) passed: Vec<Stage>,
    pub(crate) stage: Stage,
}

impl Progress {
    pub(crate) const fn new() -> Self {
        Self { passed: Vec::new(), stage: Stage::Waiting }
    }

    pub(crate) fn enter(&mut self, stage: Stage) {
        if self.stage != Stage::Waiting {
            self.passed.push(self.stage);
        }
        self.stage = stage;
    }
}

/// Who somebody is, in the directory's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) display_name: String,
    pub(crate) email: Option<String>,
    pub(crate) groups: Vec<String>,
}

/// A conversation on one connection.
pub(crate) struct Conversation<'a> {
    pub(crate) ldap: Ldap,
    pub(crate) settings: &'a DirectorySettings,
    pub(crate) progress: &'a mut Progress,
}

impl Conversation<'_> {
    /// Who has that name and that password. What is told about them is read with their own bind.
    pub(crate) async fn identify(&mut self, username: &Username, password: &str) -> Result<Person, Failure> {
        let settings = self.settings;
        let entry = match &settings.binding {
            Binding::Own(template) => {
                let name = template.of(username).ok_or(Refusal::OtherDomain)?;
                self.progress.enter(Stage::Bind);
                self.bind(&name, password).await?;
                self.progress.enter(Stage::Entry);
                let found = self.find(username, &settings.base_dn, Scope::Subtree, &settings.attributes()).await?;
                let entry = found.ok_or(Refusal::Unseen)?;
                if !is_same(&name, &entry.dn) {
                    // A name such as grace@corp may be one person's, and the entry of that username another's.
                    self.bind(&entry.dn, password).await.map_err(|failure| match failure {
                        Failure::Refusal(_) => Refusal::SomebodyElse.into(),
                        trouble @ Failure::Trouble(_) => trouble,
                    })?;
                }
                entry
            }
            Binding::Service { dn, password: service_password } => {
                self.bind_service(dn, service_password).await?;
                self.progress.enter(Stage::Search);
                let found = self.find(username, &settings.base_dn, Scope::Subtree, &[NOTHING]).await?;
                let found = found.ok_or(Refusal::Unknown)?;
                self.progress.enter(Stage::Bind);
                self.bind(&found.dn, password).await?;
                self.progress.enter(Stage::Entry);
                let read = self.find(username, &found.dn, Scope::Base, &settings.attributes()).await;
                let read = match read {
                    Err(Trouble::NoBase) => None,
                    other => other?,
                };
                read.ok_or(Refusal::Unseen)?
            }
        };
        let names = values(&entry, &settings.username_attribute);
        if !names.into_iter().any(|name| Username::parse(name).as_ref() == Ok(username)) {
            return Err(Refusal::SomebodyElse.into());
        }
        let groups = self.groups(&entry).await?;
        Ok(self.person(&entry, groups))
    }

    /// Whether the directory can be asked at all, as far as that can be seen without anybody's password.
    pub(crate) async fn look(&mut self) -> Result<(), Failure> {
        let settings = self.settings;
        let (base, is_known) = match &settings.binding {
            Binding::Service { dn, password } => {
                self.bind_service(dn, password).await?;
                (settings.base_dn.as_str(), true)
            }
            // What nobody in particular may read is up to the directory; that it answers shows that it is one.
            Binding::Own(_) => ("", false),
        };
        self.progress.enter(Stage::Search);
        match self.search(base, Scope::Base, "(objectClass=*)", &[NOTHING], PEOPLE).await {
            Err(trouble) if is_known || trouble.is_outage() => Err(trouble.into()),
            _ => Ok(()),
        }
    }

    async fn bind(&mut self, name: &str, password: &str) -> Result<(), Failure> {
        // An empty name or password asks to be nobody, which directories grant (RFC 4513 §5.1).
        if password.trim().is_empty() {
            return Err(Refusal::BlankPassword.into());
        }
        if name.trim().is_empty() {
            return Err(Refusal::SomebodyElse.into());
        }
        let answer = self.ldap.simple_bind(name, password).await.map_err(|_| Trouble::Broken)?;
        of_bind(answer.rc)
    }

    async fn bind_service(&mut self, name: &str, password: &str) -> Result<(), Failure> {
        self.progress.enter(Stage::ServiceBind);
        self.bind(name, password).await.map_err(|failure| match failure {
            Failure::Refusal(_) => Trouble::ServiceRefused.into(),
            trouble @ Failure::Trouble(_) => trouble,
        })
    }

    /// The one entry of that username.
    async fn find(
        &mut self,
        username: &Username,
        base: &str,
        scope: Scope,
        attributes: &[&str],
    ) -> Result<Option<SearchEntry>, Trouble> {
        let filter = self.settings.person_filter(username);
        let mut found = self.search(base, scope, &filter, attributes, PEOPLE).await?;
        match (found.pop(), found.pop()) {
            (Some(_), Some(_)) => Err(Trouble::Ambiguous),
            (found, _) => Ok(found),
        }
    }

    async fn groups(&mut self, entry: &SearchEntry) -> Result<Vec<String>, Trouble> {
        let settings = self.settings;
        self.progress.enter(Stage::Groups);
        let mut groups: Vec<_> = values(entry, &settings.groups_attribute).into_iter().map(str::to_owned).collect();
        if settings.nested_groups {
            let filter = format!("(member:{IN_CHAIN}:={})", ldap_escape(entry.dn.as_str()));
            let found = self.search(&settings.groups_base_dn, Scope::Subtree, &filter, &[NOTHING], MAX_GROUPS).await?;
            if found.len() >= MAX_GROUPS {
                return Err(Trouble::TooManyGroups);
            }
            groups.extend(found.into_iter().map(|group| group.dn));
        } else if is_in_pieces(entry, &settings.groups_attribute) {
            return Err(Trouble::TooManyGroups);
        }
        groups.sort_unstable();
        groups.dedup();
        Ok(groups)
    }

    /// All entries that match, at most `most`. References to other directories are not followed.
    async fn search(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
        most: usize,
    ) -> Result<Vec<SearchEntry>, Trouble> {
        let limit = i32::try_from(most).unwrap_or(i32::MAX);
        let ldap = self.ldap.with_search_options(SearchOptions::new().sizelimit(limit));
        let attributes: Vec<String> = attributes.iter().map(|attribute| (*attribute).to_owned()).collect();
        let mut answers = ldap.streaming_search(base, scope, filter, attributes).await.map_err(|_| Trouble::Broken)?;
        let mut entries = Vec::new();
        while let Some(answer) = answers.next().await.map_err(|_| Trouble::Broken)? {
            if answer.is_ref() || answer.is_intermediate() {
                continue;
            }
            entries.push(SearchEntry::construct(answer));
            if entries.len() >= most {
                // Whether these are all does not matter any more.
                return Ok(entries);
            }
        }
        match answers.finish().await.rc {
            0 => Ok(entries),
            code => Err(Trouble::of_search(code)),
        }
    }

    fn person(&self, entry: &SearchEntry, groups: Vec<String>) -> Person {
        let names = [self.settings.display_name_attribute.as_str(), "cn"];
        let names = names.into_iter().flat_map(|attribute| values(entry, attribute));
        let mut names = names.filter_map(|name| DisplayName::parse(name).ok()).filter(|name| !name.as_str().is_empty());
        let emails = values(entry, &self.settings.mail_attribute);
        Person {
            display_name: names.next().map(|name| name.as_str().to_owned()).unwrap_or_default(),
            email: emails.into_iter().find(|email| EmailAddress::parse(email).is_ok()).map(str::to_owned),
            groups,
        }
    }
}

/// The values of an attribute, whose name directories may spell as they like (RFC 4512 §2.5).
fn values<'a>(entry: &'a SearchEntry, attribute: &str) -> Vec<&'a str> {
    let named = entry.attrs.iter().filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
    named.flat_map(|(_, values)| values).map(String::as_str).collect()
}

/// Whether Active Directory has returned the first of many values only (MS-ADTS §3.1.1.3.1.3.3).
fn is_in_pieces(entry: &SearchEntry, attribute: &str) -> bool {
    let options = |name: &String| {
        let (name, options) = name.split_once(';')?;
        name.eq_ignore_ascii_case(attribute).then(|| options.to_ascii_lowercase())
    };
    entry.attrs.keys().filter_map(options).any(|options| options.starts_with("range="))
}

fn is_same(one: &str, other: &str) -> bool {
    let one = DistinguishedName::parse(one);
    one.is_some() && one == DistinguishedName::parse(other)
}
