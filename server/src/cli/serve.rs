//! `yiku serve`: HTTP and the pages.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use yiku::Database;

use super::out;
use super::progress::line;
use crate::error::Error;
use crate::limits::{CACHE_BYTES, QUESTIONS_BYTES_MAX};
use crate::platform::oidc::{ID_NUMBER_CLAIM, OidcSettings};
use crate::platform::{Platform, PlatformSettings};
use crate::serve::{Listening, listen};
use crate::state::Settings;

const EXAMPLE: &str = "\
Example:
  yiku serve --db /tmp/registry --listen 127.0.0.1:8080
  yiku serve --db /tmp/registry --cases /tmp/cases --keys /tmp/cases.keys

Prints its address once it listens; port 0 takes a free one. Without --cases it answers statistics
only, there is no sign-in, and it should listen on this machine only. With --cases everybody signs
in; the first start makes three administrators and writes their first passwords to standard error.
Ctrl-C lets requests under way finish.";

/// Serve the pages and the HTTP interface
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Serve {
    /// The database folder
    #[arg(long, value_name = "DIR")]
    db: PathBuf,
    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value_t = LISTEN)]
    listen: SocketAddr,
    /// The folder of cases and accounts; it is made when it is not there
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// The file of the keys that cases are sealed with [default: beside the folder, DIR.keys]
    #[arg(long, value_name = "FILE", requires = "cases")]
    keys: Option<PathBuf>,
    /// Where the platform's clock starts, for drills: 2026-11-02T08:00:00+08:00
    #[arg(long, value_name = "TIME", requires = "cases")]
    now: Option<Timestamp>,
    /// Bytes of answers that are kept, so that what is asked again is not computed again; 0 keeps
    /// none
    #[arg(long, value_name = "BYTES", default_value_t = CACHE_BYTES)]
    cache_bytes: usize,
    /// Bytes that all questions together may take while they are answered
    #[arg(long, value_name = "BYTES", default_value_t = QUESTIONS_BYTES_MAX)]
    memory_bytes: u64,
    #[command(flatten)]
    oidc: Oidc,
}

/// The service through which citizens sign in.
#[derive(Debug, Args)]
struct Oidc {
    /// Let citizens sign in through this OpenID Connect service
    #[arg(long, value_name = "URL", requires_all = ["cases", "oidc_client"])]
    oidc_issuer: Option<String>,
    /// The name that this platform has at the service
    #[arg(long, value_name = "ID", requires = "oidc_issuer")]
    oidc_client: Option<String>,
    /// The file with the secret of that name on its first line
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    oidc_secret_file: Option<PathBuf>,
    /// The claim that holds a citizen's ID number
    #[arg(long, value_name = "NAME", default_value = ID_NUMBER_CLAIM)]
    oidc_id_claim: String,
    /// A scope to ask for besides openid and profile
    #[arg(long, value_name = "NAME", requires = "oidc_issuer")]
    oidc_scope: Option<String>,
}

impl Oidc {
    fn settings(self) -> Option<OidcSettings> {
        let Self { oidc_issuer, oidc_client, oidc_secret_file, oidc_id_claim, oidc_scope } = self;
        Some(OidcSettings {
            issuer: oidc_issuer?,
            client: oidc_client?,
            secret_file: oidc_secret_file,
            id_number_claim: oidc_id_claim,
            scope: oidc_scope,
        })
    }
}

/// This machine only.
pub(super) const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

impl Serve {
    pub(super) fn run(self) -> Result<(), Error> {
        let database = Database::open(&self.db).map_err(|source| Error::Engine { source })?;
        let Self { db, listen, cases, keys, now, oidc, cache_bytes, memory_bytes } = self;
        let platform = cases.map(|cases| {
            let oidc = oidc.settings();
            let settings = PlatformSettings { cases, keys, now, oidc, ..Default::default() };
            let platform = Platform::open(&db, settings)?;
            tell_first(&platform)?;
            Ok::<_, Error>(platform)
        });
        let settings = Settings { cache_bytes, memory_bytes, ..Settings::default() };
        serve((database, &db), listen, settings, platform.transpose()?)
    }
}

/// Says how the first accounts of a new store sign in: nobody will be told again.
fn tell_first(platform: &Platform) -> Result<(), Error> {
    for (login, password) in platform.first_accounts()? {
        line(&format!("first account `{login}`, password `{password}`: change it by signing in"));
    }
    Ok(())
}

/// Serves a database, with the side where people work or without, until it is asked to stop.
pub(super) fn serve(
    (database, folder): (Database, &Path),
    address: SocketAddr,
    settings: Settings,
    platform: Option<Platform>,
) -> Result<(), Error> {
    if !address.ip().is_loopback() {
        match platform {
            None => {
                line("warning: others can reach this, and there is no sign-in (docs/security.md)")
            }
            Some(_) => {
                line("note: put what seals lines (TLS) in front; cookies go over nothing else")
            }
        }
    }
    let told =
        |listening: &Listening| out::text(&format!("listening on http://{}\n", listening.address));
    let settings = Settings { folder: Some(folder.to_owned()), ..settings };
    listen(database, address, settings, platform, told)
}
