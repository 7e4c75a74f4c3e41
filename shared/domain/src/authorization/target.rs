//! Who asks, and where to answer: what has to be known before anything may be redirected (RFC 6749 §4.1.2.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::bounds;
use super::parameters::{Parameters, Unusable};
use super::response::{AuthorizationError, Return};
use crate::models::client::Client;
use crate::models::keys;
use crate::stores::{ClientStore, StoreError};
use crate::values::{ClientId, ErrorCode, ResponseMode, bounded, quoted};

/// The longest request object that is looked at, in bytes.
const MAX_REQUEST_OBJECT: usize = 8192;

/// Why a request has no client to answer. Nothing is redirected anywhere: the user gets a page.
#[derive(Debug, thiserror::Error)]
pub enum NoClient {
    /// There is no `client_id`, or more than one.
    #[error("client_id is missing, repeated or malformed")]
    ClientId,
    /// No client has it, or it is disabled.
    #[error("the client{} is unknown or not active", quoted_id(client_id.as_deref()))]
    UnknownClient {
        /// What the request says, if this server could have made it: any other text may be a secret in the wrong place.
        client_id: Option<String>,
    },
    /// It acts for no user.
    #[error("the client '{client}' acts for no user")]
    ActsForNoUser {
        /// Its name.
        client: String,
    },
    /// There is no `redirect_uri`, or more than one.
    #[error("redirect_uri is missing, repeated or malformed")]
    RedirectUri,
    /// It is not registered for this client.
    #[error("redirect_uri '{redirect_uri}' is not registered for '{client}'")]
    UnregisteredRedirectUri {
        /// What the request says; bounded, and without characters that URIs do not have.
        redirect_uri: String,
        /// The client's name.
        client: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn quoted_id(client_id: Option<&str>) -> String {
    client_id.map(|client_id| format!(" '{client_id}'")).unwrap_or_default()
}

impl NoClient {
    pub(super) fn unknown(client_id: &str) -> Self {
        let made_here = ClientId::parse(client_id).filter(ClientId::has_generated_form);
        Self::UnknownClient { client_id: made_here.map(|client_id| client_id.to_string()) }
    }

    pub(super) fn unregistered(redirect_uri: &str, client: &Client) -> Self {
        Self::UnregisteredRedirectUri {
            redirect_uri: bounded(&redirect_uri.replace(' ', "%20")),
            client: client.metadata.name.clone(),
        }
    }
}

/// Who asks, and where to answer.
pub(super) struct Target {
    pub(super) client: Client,
    pub(super) redirect_uri: String,
    pub(super) redirect_uri_was_sent: bool,
}

/// The client and its redirect URI.
pub(super) async fn target(
    clients: &dyn ClientStore,
    parameters: &Parameters,
) -> Result<Target, NoClient> {
    let sent = parameters.one("client_id").ok().flatten().ok_or(NoClient::ClientId)?;
    let unknown = || NoClient::unknown(sent);
    let client_id = ClientId::parse(sent).ok_or_else(unknown)?;
    let client = clients.find(&client_id).await?;
    let client = client.filter(|client| client.metadata.is_active).ok_or_else(unknown)?;
    if !client.kind.acts_for_users() {
        return Err(NoClient::ActsForNoUser { client: client.metadata.name });
    }
    let sent = parameters.one("redirect_uri").map_err(|Unusable| NoClient::RedirectUri)?;
    let registered = &client.metadata.redirect_uris;
    let redirect_uri = match (sent, registered.as_slice()) {
        (Some(sent), _) if registered.iter().any(|own| own.matches(sent, client.kind)) => {
            sent.to_owned()
        }
        (Some(sent), _) => return Err(NoClient::unregistered(sent, &client)),
        // RFC 6749 §3.1.2.3: it may be left out where there is only one.
        (None, [only]) => only.as_str().to_owned(),
        (None, _) => return Err(NoClient::RedirectUri),
    };
    let redirect_uri_was_sent = sent.is_some();
    Ok(Target { client, redirect_uri, redirect_uri_was_sent })
}

impl Target {
    /// Where an error goes before the request is understood.
    ///
    /// Request objects are not supported, and a client that sends one may have put `state` and `response_mode` there
    /// alone (OpenID Connect Core 1.0 §6.1). They are taken from its payload where the query lacks them. Whoever made
    /// the object, the answer goes to the registered redirect URI only: client and redirect URI are never taken from it.
    pub(super) fn answer_to(&self, parameters: &Parameters) -> Return {
        let object = request_object(parameters).unwrap_or_default();
        let state = match parameters.one("state") {
            Ok(Some(state)) => Some(state.to_owned()),
            Ok(None) => object.state(),
            Err(Unusable) => None,
        };
        let mode = match parameters.one("response_mode") {
            Ok(None) => object.response_mode(),
            Ok(Some(_)) | Err(Unusable) => response_mode(parameters).ok(),
        };
        Return {
            client_id: self.client.client_id.clone(),
            redirect_uri: self.redirect_uri.clone(),
            mode: mode.unwrap_or_default(),
            state: state.filter(|state| bounds::state_fits(state)),
            is_silent: is_silent(parameters),
        }
    }
}

/// Whether the client asked that no page be shown, whatever else is wrong with the request.
fn is_silent(parameters: &Parameters) -> bool {
    let prompt = parameters.one("prompt").ok().flatten();
    prompt.is_some_and(|prompt| prompt.trim_matches(' ') == "none")
}

/// The modes that suit a code.
pub(super) fn response_mode(parameters: &Parameters) -> Result<ResponseMode, AuthorizationError> {
    let refused = |rule: String| AuthorizationError::new(ErrorCode::InvalidRequest, rule);
    match parameters.one("response_mode") {
        Ok(None) => Ok(ResponseMode::default()),
        Ok(Some(text)) => ResponseMode::parse(text).ok_or_else(|| {
            let possible = ResponseMode::ALL.map(ResponseMode::as_str).join(", ");
            refused(format!("response_mode must be one of {possible}, not {}", quoted(text)))
        }),
        Err(Unusable) => Err(refused("response_mode is repeated or malformed".to_owned())),
    }
}

/// What a refused request object says of the answer. Nothing else in it counts.
#[derive(Default, Deserialize)]
struct RequestObject {
    state: Option<Value>,
    response_mode: Option<Value>,
}

impl RequestObject {
    /// The state, if it is one that could have come as a parameter.
    fn state(&self) -> Option<String> {
        let state = self.state.as_ref()?.as_str()?;
        let is_text = !state.is_empty() && !state.chars().any(char::is_control);
        is_text.then(|| state.to_owned())
    }

    fn response_mode(&self) -> Option<ResponseMode> {
        ResponseMode::parse(self.response_mode.as_ref()?.as_str()?)
    }
}

/// The payload of the request object, signed or not (RFC 9101 §4). An encrypted one has five parts and is not read.
fn request_object(parameters: &Parameters) -> Option<RequestObject> {
    let object = parameters.one("request").ok()??;
    if object.len() > MAX_REQUEST_OBJECT {
        return None;
    }
    let mut parts = object.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    keys::read_object(&URL_SAFE_NO_PAD.decode(payload).ok()?)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::parameters::Parameter;
    use super::*;

    fn object(claims: &str) -> String {
        format!("eyJhbGciOiJub25lIn0.{}.", URL_SAFE_NO_PAD.encode(claims))
    }

    fn read(request: &str) -> Option<(Option<String>, Option<ResponseMode>)> {
        let parameter = Parameter { name: "request".into(), value: Some(request.to_owned()) };
        let object = request_object(&[parameter].into_iter().collect())?;
        Some((object.state(), object.response_mode()))
    }

    #[rstest]
    #[case(r#"{"state":"s","response_mode":"form_post"}"#, Some("s"), Some(ResponseMode::FormPost))]
    #[case(r#"{"state":"s","redirect_uri":"https://evil.example"}"#, Some("s"), None)]
    #[case(r#"{"state":"","response_mode":"web_message"}"#, None, None)]
    #[case(r#"{"state":"a\r\nb"}"#, None, None)]
    #[case(r#"{"state":7,"response_mode":["query"]}"#, None, None)]
    fn of_a_request_object_only_state_and_response_mode_are_taken(
        #[case] claims: &str,
        #[case] state: Option<&str>,
        #[case] mode: Option<ResponseMode>,
    ) {
        assert_eq!(read(&object(claims)), Some((state.map(str::to_owned), mode)), "{claims}");
    }

    #[test]
    fn what_is_encrypted_too_long_or_no_object_is_not_read() {
        let claims = r#"{"state":"s"}"#;
        let payload = URL_SAFE_NO_PAD.encode(claims);
        let long = object(&format!(r#"{{"x":"{}","state":"s"}}"#, "x".repeat(7000)));
        assert!(long.len() > MAX_REQUEST_OBJECT);
        for request in [
            format!("h.{payload}.iv.ciphertext.tag"),
            format!("h.{payload}"),
            "a".to_owned(),
            object(r#"["s"]"#),
            object(r#"{"state":"s","state":"t"}"#),
            object("no json"),
            long,
        ] {
            assert_eq!(read(&request), None, "{request}");
        }
    }
}
