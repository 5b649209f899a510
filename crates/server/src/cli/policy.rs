//! `callboard policy`.

use std::io::Write;
use std::process::ExitCode;

use callboard_catalog::look_up;
use callboard_model::entity_ref::EntityRef;
use callboard_model::filter::SearchRows;
use callboard_store::Db;
use clap::Subcommand;
use serde_json::Value;

use super::database::DatabaseOf;
use super::{ConfigFiles, Failure};
use crate::config::{PolicyRule, load};
use crate::identity::{Principal, User, directory};
use crate::policy::{Action, Explanation, Outcome, Permission, Policy, Reason, Scope, Subject};

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Say what is wrong with the policy, and who may do what
    ///
    /// Starts nothing. The exit code is 1 where the portal would not take the policy.
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        #[command(flatten)]
        config: ConfigFiles,
    },
    /// Say whether somebody may do something, and which rule decides it
    ///
    /// With the policy of the files as they are now, and the groups and the entity as the portal's database has them; the
    /// portal may be running. The exit code is 1 where they may not.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain {
        #[command(flatten)]
        database: DatabaseOf,
        /// Such as user:default/ada, or plugin:s3 for a plugin that works for nobody in particular
        user: String,
        /// Such as catalog.entity.delete
        permission: String,
        /// The entity that it is about, such as component:default/website
        entity: Option<String>,
    },
}

const CHECK_EXAMPLES: &str = "\
Examples:
  callboard policy check
  callboard policy check --config app-config.yaml --config app-config.production.yaml";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  callboard policy explain ada catalog.entity.delete component:default/website
  callboard policy explain user:default/ada plugin.run";

pub(super) async fn run(command: PolicyCommand, out: &mut (dyn Write + Send)) -> Result<ExitCode, Failure> {
    match command {
        PolicyCommand::Check { config } => check(&config, out),
        PolicyCommand::Explain { database, user, permission, entity } => {
            let somebody = match user.strip_prefix("plugin:") {
                Some(id) => Somebody::Plugin(id.to_owned()),
                None => Somebody::User(parse(&user, Some("user"))?),
            };
            let entity = entity.map(|entity| parse(&entity, None)).transpose()?;
            let (config, db) = database.open_with_config(false).await?;
            let policy = Policy::new(&config.permission);
            let explained = explain(&db, &policy, &somebody, &permission, entity.as_ref(), out).await;
            db.close().await;
            explained
        }
    }
}

fn check(files: &ConfigFiles, out: &mut dyn Write) -> Result<ExitCode, Failure> {
    let report = load(&files.sources()?);
    let about_policy = |path: &str| path.is_empty() || path == "permission" || path.starts_with("permission.");
    let findings: Vec<_> = report.report.findings.iter().filter(|finding| about_policy(&finding.path)).collect();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    if !findings.is_empty() {
        writeln!(out)?;
    }
    let Some(config) = report.config.filter(|_| report.report.is_accepted(files.strict)) else {
        writeln!(out, "The portal does not take this policy. `callboard config check` says all that is wrong.")?;
        return Ok(ExitCode::FAILURE);
    };
    for (role, members) in &config.permission.roles {
        let members: Vec<String> = members.iter().map(ToString::to_string).collect();
        writeln!(out, "role {role}: {}", listed(&members))?;
    }
    let policy = Policy::new(&config.permission);
    for rule in policy.rules() {
        writeln!(out, "{}", written(rule))?;
    }
    writeln!(out, "\nWhat no rule gives is denied. Nobody has these:")?;
    let unused =
        Permission::BUILT_IN.into_iter().filter(|permission| !policy.rules().iter().any(|rule| rule.gives(permission)));
    let unused: Vec<String> = unused.map(|permission| permission.name().to_owned()).collect();
    writeln!(out, "  {}", listed(&unused))?;
    Ok(ExitCode::SUCCESS)
}

fn written(rule: &PolicyRule) -> String {
    let place = rule.origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default();
    let to: Vec<String> = rule.to.iter().map(ToString::to_string).collect();
    let mut text = format!("{}{place}\n  gives {}\n  to {}", rule.name, listed(&rule.allow), listed(&to));
    if let Some(condition) = &rule.condition {
        text.push_str(&format!("\n  for entities with {}", condition.to_value()));
    }
    text
}

fn listed(texts: &[String]) -> String {
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(", ") }
}

/// Whom a question is about.
enum Somebody {
    User(EntityRef),
    Plugin(String),
}

async fn explain(
    db: &Db,
    policy: &Policy,
    somebody: &Somebody,
    permission: &str,
    entity: Option<&EntityRef>,
    out: &mut (dyn Write + Send),
) -> Result<ExitCode, Failure> {
    let named = Permission::named(permission, Action::Update, Subject::Entities);
    let permission = Permission::built_in(permission).unwrap_or(named);
    let principal = match somebody {
        Somebody::User(user) => Principal::User(known(db, user, out).await?),
        Somebody::Plugin(id) => Principal::Plugin(id.clone()),
    };
    let rows = match entity {
        None => None,
        Some(entity) => {
            let found = read(db, entity).await?;
            let found = found.ok_or_else(|| Failure::Catalog(format!("{entity} is not in the catalog")))?;
            Some(SearchRows::of(&found).map_err(|error| Failure::Catalog(error.to_string()))?)
        }
    };
    let explanation = policy.explain(&principal, &permission, rows.as_ref());
    let what = entity.map(|entity| format!(" for {entity}")).unwrap_or_default();
    let verdict = if explanation.allowed { "may" } else { "may not" };
    writeln!(out, "{principal} {verdict} use {}{what}.", permission.name())?;
    if let Some(user) = principal.user() {
        let names: Vec<String> = user.ownership.iter().map(ToString::to_string).collect();
        writeln!(out, "  who counts as them: {}", listed(&names))?;
    }
    weighed(&explanation, out)?;
    Ok(if explanation.allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A user, with the groups that the catalog knows of them.
async fn known(db: &Db, user: &EntityRef, out: &mut (dyn Write + Send)) -> Result<User, Failure> {
    let profile = read(db, user).await?;
    if profile.is_none() {
        writeln!(out, "{user} is not in the catalog: no group is known of them.")?;
    }
    let groups = profile.as_ref().map(directory::groups_of).unwrap_or_default();
    Ok(User {
        entity_ref: user.clone(),
        display_name: user.name().to_owned(),
        ownership: std::iter::once(user.clone()).chain(groups).collect(),
        scope: Scope::unlimited(),
    })
}

fn weighed(explanation: &Explanation, out: &mut (dyn Write + Send)) -> Result<(), Failure> {
    if let Reason::BuiltIn(reason) = &explanation.reason {
        writeln!(out, "  {reason}")?;
    }
    for weighed in &explanation.rules {
        let outcome = match weighed.outcome {
            Outcome::Gives => "gives it",
            Outcome::ForOthers => "is for others",
            Outcome::OtherEntities => "is for other entities",
            Outcome::SomeEntities => "gives it for some entities; name one to know",
            Outcome::NotAboutEntities => "is about entities, and the permission is not",
        };
        let place = weighed.rule.origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default();
        writeln!(out, "  rule {}{place}: {outcome}", weighed.rule.name)?;
    }
    Ok(())
}

async fn read(db: &Db, entity_ref: &EntityRef) -> Result<Option<Value>, Failure> {
    let found = look_up(db, entity_ref).await.map_err(|error| Failure::Catalog(error.to_string()))?;
    let parsed = found.map(|document| serde_json::from_str(document.get())).transpose();
    parsed.map_err(|error| Failure::Catalog(format!("{entity_ref} cannot be read: {error}")))
}

fn parse(text: &str, kind: Option<&str>) -> Result<EntityRef, Failure> {
    EntityRef::parse(text, kind, None)
        .map_err(|error| Failure::Catalog(format!("'{}' is no entity ref: {error}", text.escape_debug())))
}
