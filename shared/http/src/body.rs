//! Reading a request's body: bounded in size and time.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt as _, Limited};

/// The largest body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// How long a body may take to arrive.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// Why there is no body to work with.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BodyError {
    /// Over [`MAX_BODY`].
    #[error("the body is larger than 64 kB")]
    TooLarge,
    /// It trickled.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection broke off.
    #[error("the body could not be read")]
    Broken,
    /// The media type is another one, or given twice, or not UTF-8.
    #[error("the Content-Type is not the one that is needed")]
    ContentType,
}

/// The whole body.
///
/// # Errors
/// When it is larger than [`MAX_BODY`], or does not arrive in time.
pub async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, BodyError> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: u64| length > MAX_BODY as u64)
    {
        return Err(BodyError::TooLarge);
    }
    match tokio::time::timeout(READ_WITHIN, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(BodyError::TooLarge)
        }
        Ok(Err(_)) => Err(BodyError::Broken),
        Err(_) => Err(BodyError::TooSlow),
    }
}

/// Checks that there is one Content-Type, that it is among `expected`, and that its charset, if it has
/// one, is UTF-8.
///
/// # Errors
/// [`BodyError::ContentType`] when not.
pub fn check_content_type(headers: &HeaderMap, expected: &[&str]) -> Result<(), BodyError> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(BodyError::ContentType);
    };
    let text = value.to_str().map_err(|_| BodyError::ContentType)?;
    let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
    let utf8 = parameters.split(';').map(str::trim).filter(|parameter| !parameter.is_empty()).all(
        |parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            Some(_) => true,
            None => false,
        },
    );
    let is_expected = expected.iter().any(|own| essence.trim().eq_ignore_ascii_case(own));
    if is_expected && utf8 { Ok(()) } else { Err(BodyError::ContentType) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn check(value: &'static str) -> Result<(), BodyError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, value.parse().unwrap());
        check_content_type(&headers, &["application/json"])
    }

    #[rstest]
    #[case("application/json")]
    #[case("Application/JSON")]
    #[case("application/json; charset=UTF-8")]
    #[case("application/json;charset=\"utf-8\"")]
    fn the_expected_type_in_utf_8_is_taken(#[case] value: &'static str) {
        assert_eq!(check(value), Ok(()));
    }

    #[rstest]
    #[case("")]
    #[case("text")]
    #[case("text/[html]")]
    #[case("application/json; charset=utf-16")]
    #[case("application/json; charset")]
    #[case("application/jsonp")]
    #[case("multipart/form-data; boundary=x")]
    fn any_other_type_is_refused(#[case] value: &'static str) {
        assert_eq!(check(value), Err(BodyError::ContentType));
    }

    #[test]
    fn no_type_or_two_types_are_refused() {
        let mut headers = HeaderMap::new();
        assert!(check_content_type(&headers, &["application/json"]).is_err());
        for _ in 0..2 {
            headers.append(CONTENT_TYPE, "application/json".parse().unwrap());
        }
        assert!(check_content_type(&headers, &["application/json"]).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up_after_ten_seconds() {
        use std::time::Duration;

        use futures_util::stream;

        let trickle = |pause: u64| {
            let drops = stream::unfold(0, move |count| async move {
                tokio::time::sleep(Duration::from_secs(pause)).await;
                (count < 8).then(|| (Ok::<_, std::io::Error>("x"), count + 1))
            });
            Body::from_stream(drops)
        };
        assert_eq!(read(&HeaderMap::new(), trickle(1)).await.unwrap(), "xxxxxxxx");
        assert_eq!(read(&HeaderMap::new(), trickle(2)).await.unwrap_err(), BodyError::TooSlow);
    }

    #[tokio::test]
    async fn a_body_is_bounded_whatever_length_it_announces() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, "1".parse().unwrap());
        let read_of =
            async |headers: &HeaderMap, size| read(headers, Body::from(vec![b'x'; size])).await;
        assert_eq!(read_of(&headers, MAX_BODY).await.unwrap().len(), MAX_BODY);
        assert_eq!(read_of(&headers, MAX_BODY + 1).await.unwrap_err(), BodyError::TooLarge);
        headers.insert(CONTENT_LENGTH, "65537".parse().unwrap());
        assert_eq!(read_of(&headers, 1).await.unwrap_err(), BodyError::TooLarge);
    }
}
