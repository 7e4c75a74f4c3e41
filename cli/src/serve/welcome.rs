//! What a person sees when the server is ready.

use std::net::SocketAddr;

use identety_domain::{Settings, id};
use rand::rngs::StdRng;

use super::administrator::LocalAdministrator;
use super::demo::{self, DemoUser};
use crate::data::DataFolder;

/// Prints where the server is and, at the first start, three lines to paste. It is the only time that a
/// secret is printed.
pub(crate) fn print(
    settings: &Settings,
    address: SocketAddr,
    folder: &DataFolder,
    administrator: &LocalAdministrator,
    rng: &mut StdRng,
) {
    let issuer = &settings.issuer;
    println!("Identety is ready at {issuer}");
    println!("  listens on   {address}");
    println!("  discovery    {issuer}/.well-known/openid-configuration");
    println!("  credentials  {} (yours alone)", folder.file("admin.json").display());
    match &administrator.file.demo_user {
        Some(DemoUser { email, password }) if administrator.is_new => {
            println!("  demo         {issuer}{}   (sign in as {email} / {password})", demo::PATH);
        }
        Some(_) => println!("  demo         {issuer}{}   (its user is in admin.json)", demo::PATH),
        None => println!("  demo         {issuer}{}", demo::PATH),
    }
    if administrator.is_new {
        let api_key = &administrator.file.api_key;
        let secret = id::random_text::<24>(rng);
        println!(
            r#"
Paste these three lines into another terminal. They register an m2m client, fetch a token for it, and
let the server verify that token:

curl -s {issuer}/admin/clients -H 'x-api-key: {api_key}' -H 'content-type: application/json' -d '{{"name":"Reports","type":"m2m","clientId":"reports","clientSecret":"{secret}","scopes":["clients:read"]}}'
TOKEN=$(curl -s {issuer}/oauth2/token -u 'reports:{secret}' -d grant_type=client_credentials | sed -E 's/.*"access_token":"([^"]+)".*/\1/'); echo $TOKEN
curl -s "{issuer}/admin/clients?columns=name,clientId,scopes" -H "authorization: Bearer $TOKEN"
"#
        );
    }
    println!("Ctrl-C stops it.");
}
