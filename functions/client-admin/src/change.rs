//! A change of a client: on top of what is there, by somebody who may, and written only if nothing else
//! was written in between.

use http::HeaderMap;
use identety_domain::admin::Administrator;
use identety_domain::client::Client;
use identety_domain::store;
use identety_http::edge::Context;
use identety_http::problem::Problem;

use crate::{Management, access, find_client, precondition, store_problem};

/// How often a change is tried again on top of another that came in between.
const ATTEMPTS: usize = 4;

/// Who wants to change which client, on which condition.
pub(crate) struct Change<'a> {
    pub(crate) state: &'a Management,
    pub(crate) context: &'a Context,
    pub(crate) administrator: &'a Administrator,
    pub(crate) id: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// What shall become of a client.
pub(crate) enum Decision {
    /// It stays as it is.
    Keep,
    /// It becomes this.
    Update(Box<Client>),
    /// It goes.
    Delete,
}

impl Change<'_> {
    /// Writes what `decide` decides about the client as it is now, and gives what it gave beside. When
    /// another change came in between, `decide` is asked again about the result of that.
    pub(crate) async fn make<T>(
        &self,
        decide: impl Fn(&Client) -> Result<(Decision, T), Problem>,
    ) -> Result<T, Problem> {
        let clients = &self.state.clients;
        for _ in 0..ATTEMPTS {
            let client = find_client(self.state, self.id, &self.context.id).await?;
            precondition::check(self.headers, &client)?;
            access::check_may_manage(self.administrator, &client)?;
            let (decision, result) = decide(&client)?;
            let written = match decision {
                Decision::Keep => return Ok(result),
                Decision::Update(after) => clients.update(&client, &after).await,
                Decision::Delete => clients.delete(&client).await,
            };
            match written.map_err(|error| store_problem(&error, &self.context.id))? {
                store::Change::Done => return Ok(result),
                store::Change::Conflict => {}
            }
        }
        Err(precondition::lost(self.headers))
    }
}
