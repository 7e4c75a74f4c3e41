//! A change of a client or a user: on top of what is there, by somebody who may, and written only if
//! nothing else was written in between.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::request::Parts;
use identety_domain::RequestContext;
use identety_domain::admin::Administrator;
use identety_http::context::HeldContext;
use identety_http::problem::{self, Problem};

use crate::resource::{Resource, Written};
use crate::state::Management;
use crate::{precondition, resource};

/// How often a change is tried again on top of another that came in between.
const ATTEMPTS: usize = 4;

/// Who wants to change which one, on which condition: a request but for its body.
pub(crate) struct Change {
    pub(crate) state: Arc<Management>,
    pub(crate) context: HeldContext,
    pub(crate) administrator: Administrator,
    /// As the path has it.
    id: String,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<Management>> for Change {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<Management>,
    ) -> Result<Self, Response> {
        let context = HeldContext::of(&parts.extensions);
        let context = context.map_err(IntoResponse::into_response)?;
        let administrator = Extension::from_request_parts(parts, state).await;
        let path = RawPathParams::from_request_parts(parts, state).await;
        let Extension(administrator) = administrator.map_err(IntoResponse::into_response)?;
        let path = path.map_err(IntoResponse::into_response)?;
        let id = path.iter().find(|(name, _)| *name == "id").map(|(_, id)| id.to_owned());
        let (id, headers) = (id.unwrap_or_default(), parts.headers.clone());
        Ok(Self { state: state.clone(), context, administrator, id, headers })
    }
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

impl Change {
    /// Writes what `decide` decides about the thing as it is now, and gives what it gave beside. When
    /// another change came in between, `decide` is asked again about the result of that.
    pub(crate) async fn make<R: Resource, T>(
        &mut self,
        decide: impl Fn(&R, &mut RequestContext) -> Result<(Decision<R>, T), Problem>,
    ) -> Result<T, Problem> {
        for _ in 0..ATTEMPTS {
            let before: R = resource::find(&self.state, &self.id).await?;
            precondition::check(&self.headers, &before)?;
            before.check_may_change(&self.administrator)?;
            let (decision, result) = decide(&before, &mut self.context)?;
            let written = match decision {
                Decision::Keep => return Ok(result),
                Decision::Update(after) => before.update(&after, &self.state).await?,
                Decision::Delete => before.delete(&self.state).await?,
            };
            match written {
                Written::Done => return Ok(result),
                Written::Conflict => {}
                Written::Refused(problem) => return Err(problem),
            }
        }
        Err(precondition::lost::<R>(&self.headers))
    }

    /// The answer, or the reason why there is none.
    pub(crate) fn answer(mut self, answered: Result<Response, Problem>) -> Response {
        problem::answer(&mut self.context, answered)
    }
}
