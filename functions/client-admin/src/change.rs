//! A change of a client or a user: on top of what is there, by somebody who may, and written only if
//! nothing else was written in between.

use http::HeaderMap;
use identety_domain::admin::Administrator;
use identety_http::edge::Context;
use identety_http::problem::Problem;

use crate::problems::store_problem;
use crate::resource::{Resource, Written};
use crate::{Management, precondition, resource};

/// How often a change is tried again on top of another that came in between.
const ATTEMPTS: usize = 4;

/// Who wants to change which one, on which condition.
pub(crate) struct Change<'a> {
    pub(crate) state: &'a Management,
    pub(crate) context: &'a Context,
    pub(crate) administrator: &'a Administrator,
    pub(crate) id: &'a str,
    pub(crate) headers: &'a HeaderMap,
}

/// What shall become of it.
pub(crate) enum Decision<R> {
    /// It stays as it is.
    Keep,
    /// It becomes this.
    Update(Box<R>),
    /// It goes.
    Delete,
}

impl Change<'_> {
    /// Writes what `decide` decides about the thing as it is now, and gives what it gave beside. When
    /// another change came in between, `decide` is asked again about the result of that.
    pub(crate) async fn make<R: Resource, T>(
        &self,
        decide: impl Fn(&R) -> Result<(Decision<R>, T), Problem>,
    ) -> Result<T, Problem> {
        for _ in 0..ATTEMPTS {
            let before: R = resource::find(self.state, self.id, &self.context.id).await?;
            precondition::check(self.headers, &before)?;
            before.check_may_change(self.administrator)?;
            let (decision, result) = decide(&before)?;
            let written = match decision {
                Decision::Keep => return Ok(result),
                Decision::Update(after) => before.update(&after, self.state).await,
                Decision::Delete => before.delete(self.state).await,
            };
            match written.map_err(|error| store_problem(&error, &self.context.id))? {
                Written::Done => return Ok(result),
                Written::Conflict => {}
                Written::Refused(problem) => return Err(problem),
            }
        }
        Err(precondition::lost::<R>(self.headers))
    }
}
