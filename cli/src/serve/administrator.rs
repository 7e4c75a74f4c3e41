//! The first administrator: an m2m client and an API key, made at the first start.

use identety_domain::hashing::{HashCost, SecretMaker};
use identety_domain::{Services, admin};
use serde::{Deserialize, Serialize};

use super::ServeError;
use super::demo::{self, DemoUser};
use crate::administrator::register_administrator;
use crate::data::DataFolder;

const FILE: &str = "admin.json";

/// The content of `admin.json`.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminFile {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) api_key: String,
    /// Whom to try the sign-in with. Files of earlier versions lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) demo_user: Option<DemoUser>,
}

/// The administrator, and whether it is new.
pub(crate) struct LocalAdministrator {
    pub(crate) file: AdminFile,
    pub(crate) is_new: bool,
}

/// Finds the administrator of an earlier start, or makes one.
///
/// `admin.json` is written last: a start that was cut short before is a first start again.
pub(crate) async fn ensure(
    folder: &DataFolder,
    services: &Services,
    maker: &mut SecretMaker<'_>,
) -> Result<LocalAdministrator, ServeError> {
    let Services { settings, stores, .. } = services;
    demo::ensure_client(&settings.issuer, stores, maker).await?;
    if let Some(text) = folder.read(FILE)? {
        let file: AdminFile = serde_json::from_str(&text).map_err(|_| folder.damaged(FILE))?;
        let mut current = file.clone();
        settings.issuer.as_str().clone_into(&mut current.issuer);
        if current.demo_user.is_none() {
            let issuer = &settings.issuer;
            current.demo_user = demo::ensure_user(issuer, stores, false, maker).await?;
        }
        if current != file {
            write(folder, &current)?;
        }
        return Ok(LocalAdministrator { file: current, is_new: false });
    }
    let api_key = admin::generate_api_key(maker.rng);
    let phc = maker.hash(&api_key, HashCost::Generated)?;
    stores.api_keys.set_api_key(&phc).await?;

    let administrator = register_administrator(&*stores.clients, maker).await?;
    let demo_user = demo::ensure_user(&settings.issuer, stores, true, maker).await?;
    let file = AdminFile {
        issuer: settings.issuer.to_string(),
        client_id: administrator.client_id,
        client_secret: administrator.client_secret.expose().to_owned(),
        api_key: api_key.expose().to_owned(),
        demo_user,
    };
    write(folder, &file)?;
    Ok(LocalAdministrator { file, is_new: true })
}

fn write(folder: &DataFolder, file: &AdminFile) -> Result<(), ServeError> {
    let mut json = serde_json::to_vec_pretty(file)?;
    json.push(b'\n');
    Ok(folder.write(FILE, &json)?)
}
