//! The sign-in: what a user shows becomes a session.

use super::channel::{FlowError, FrontChannel};
use super::interaction::Interaction;
use crate::models::authentication::Authentication;
use crate::models::browser::SessionSecret;
use crate::models::device::DeviceSecrets;
use crate::stores::StoreError;
use crate::user_authentication::{BrowserMemory, UserAuthenticationError, UserAuthenticator};
use crate::values::RequestContext;

/// What a browser brings to a sign-in.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// The secret of the session that it had until now.
    pub session: Option<&'a SessionSecret>,
    /// By which accounts know it.
    pub device: &'a DeviceSecrets,
}

/// What a browser keeps of a sign-in.
#[derive(Clone, Debug)]
pub struct SignedInBrowser {
    /// The secret of its session.
    pub session: SessionSecret,
    /// By which accounts know it from now on; `None` where that could not be written down.
    pub device: Option<DeviceSecrets>,
}

/// Why no user has signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The user has not shown who they are.
    #[error(transparent)]
    Authentication(#[from] UserAuthenticationError),
    /// The request does not go on.
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Flow(error.into())
    }
}

impl FrontChannel {
    /// Signs a user in for a request that waits, by any way of authentication: a session that no cookie of before can
    /// name. It makes no code: the browser goes on to a page of ours with the session's cookie, and that page answers.
    ///
    /// # Errors
    /// When the user has not shown who they are; or when the request has its answer.
    pub async fn sign_in<A: UserAuthenticator>(
        &self,
        context: &mut RequestContext,
        interaction: &Interaction,
        visitor: Visitor<'_>,
        (authenticator, credentials): (&A, &A::Credentials),
    ) -> Result<SignedInBrowser, SignInError> {
        self.check_unanswered(&interaction.transaction).await?;
        let authentication = authenticator.authenticate(context, credentials).await?;
        Ok(self.start_session(context, interaction, visitor, &authentication).await?)
    }

    /// A session for the user who has shown who they are, and the memory of the browser.
    pub(super) async fn start_session(
        &self,
        context: &mut RequestContext,
        interaction: &Interaction,
        visitor: Visitor<'_>,
        authentication: &Authentication,
    ) -> Result<SignedInBrowser, StoreError> {
        let Visitor { session, device } = visitor;
        let id = &interaction.transaction.id;
        let session = self.sessions.start(context, authentication, session, id).await?;
        let memory = BrowserMemory { users: self.sessions.users.clone() };
        let device = memory.remember(context, &authentication.user, device).await;
        Ok(SignedInBrowser { session, device })
    }
}
