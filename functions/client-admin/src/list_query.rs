//! The query of a list: `limit`, `cursor` or `page`, `sort`, `sortBy`, `columns`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identety_domain::FieldError;
use identety_domain::store::{From, Order};
use identety_http::form::Form;
use uuid::Uuid;

use crate::resource::Resource;

const DEFAULT_LIMIT: u32 = 10;
const MAX_LIMIT: u32 = 100;

/// What a list asks for.
pub(crate) struct ListQuery<R: Resource> {
    pub(crate) limit: u32,
    pub(crate) start: Start,
    pub(crate) order: Order,
    pub(crate) sort_by: SortBy<R::SortKey>,
    pub(crate) columns: Option<Vec<String>>,
}

/// Where the list begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Start {
    /// `cursor`: behind the one with this id.
    After(Uuid),
    /// `page`, from 1.
    Page(u32),
}

/// What the list is sorted by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SortBy<K> {
    /// The index of the table: any number of them.
    CreatedAt,
    /// Sorted here: a bounded number of them.
    Key(K),
}

impl<R: Resource> ListQuery<R> {
    /// Reads the query of a request.
    pub(crate) fn parse(query: &str) -> Result<Self, Vec<FieldError>> {
        let mut form = Form::parse(query.as_bytes())
            .map_err(|error| vec![FieldError::new("query", error.to_string())])?;
        let mut errors = Vec::new();
        let limit = form.take("limit");
        let limit = limit.map(|text| {
            number(&text, MAX_LIMIT).ok_or_else(|| "must be a whole number from 1 to 100".into())
        });
        let limit = limit.unwrap_or(Ok(DEFAULT_LIMIT));
        let order = match form.take("sort").as_deref() {
            None | Some("desc") => Ok(Order::NewestFirst),
            Some("asc") => Ok(Order::OldestFirst),
            Some(_) => Err("must be asc or desc".into()),
        };
        let sort_by = sort_by::<R>(form.take("sortBy").as_deref());
        let start = start(form.take("cursor").as_deref(), form.take("page").as_deref());
        let columns = form.take("columns").map(|text| columns::<R>(&text)).transpose();
        let parsed = Self {
            limit: or_error(limit, "limit", DEFAULT_LIMIT, &mut errors),
            start: match start {
                Ok(start) => start,
                Err((field, message)) => {
                    errors.push(FieldError::new(field, message));
                    Start::Page(1)
                }
            },
            order: or_error(order, "sort", Order::NewestFirst, &mut errors),
            sort_by: or_error(sort_by, "sortBy", SortBy::CreatedAt, &mut errors),
            columns: or_error(columns, "columns", None, &mut errors),
        };
        if parsed.sort_by != SortBy::CreatedAt && matches!(parsed.start, Start::After(_)) {
            errors.push(FieldError::new("cursor", "goes only with sortBy=createdAt; use page"));
        }
        errors.extend(form.names().map(|name| FieldError::new(name, "is unknown")));
        if errors.is_empty() { Ok(parsed) } else { Err(errors) }
    }

    /// Where the store's list begins.
    pub(crate) fn from(&self) -> From {
        match self.start {
            Start::After(id) => From::After(id),
            Start::Page(page) => From::Offset((page - 1).saturating_mul(self.limit)),
        }
    }
}

fn or_error<T>(
    parsed: Result<T, String>,
    field: &str,
    placeholder: T,
    errors: &mut Vec<FieldError>,
) -> T {
    parsed.unwrap_or_else(|message| {
        errors.push(FieldError::new(field, message));
        placeholder
    })
}

/// A whole number from 1 to `max`, in digits. Identety's SDK writes its numbers as `2.0`.
fn number(text: &str, max: u32) -> Option<u32> {
    let text = text.strip_suffix(".0").unwrap_or(text);
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && (1..=max).contains(number))
}

fn start(cursor: Option<&str>, page: Option<&str>) -> Result<Start, (&'static str, &'static str)> {
    match (cursor, page) {
        (Some(_), Some(_)) => Err(("page", "must not be combined with cursor")),
        (Some(cursor), None) => decode_cursor(cursor)
            .map(Start::After)
            .ok_or(("cursor", "must be the nextCursor of a list")),
        (None, Some(page)) => number(page, 1_000_000)
            .map(Start::Page)
            .ok_or(("page", "must be a whole number from 1 to 1000000")),
        (None, None) => Ok(Start::Page(1)),
    }
}

fn sort_by<R: Resource>(name: Option<&str>) -> Result<SortBy<R::SortKey>, String> {
    let name = match name.map(to_camel_case) {
        None => return Ok(SortBy::CreatedAt),
        Some(name) if name == "createdAt" || name == "id" => return Ok(SortBy::CreatedAt),
        Some(name) => name,
    };
    let key = R::SORT_KEYS.iter().find(|(known, _)| *known == name);
    key.map(|(_, key)| SortBy::Key(*key)).ok_or_else(|| {
        let names: Vec<_> = R::SORT_KEYS.iter().map(|(name, _)| *name).collect();
        format!("must be createdAt or one of {}", names.join(", "))
    })
}

fn columns<R: Resource>(text: &str) -> Result<Vec<String>, String> {
    let names = text.split(',').map(str::trim).map(to_camel_case).map(|name| {
        let known = R::COLUMNS.contains(&name.as_str());
        if known {
            Ok(name)
        } else {
            Err("must be names of members with commas between them".into())
        }
    });
    names.collect()
}

/// `redirect_uris` is `redirectUris`.
fn to_camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else {
            camel.push(if upper { c.to_ascii_uppercase() } else { c });
            upper = false;
        }
    }
    camel
}

/// Opaque to callers, so that it may change.
pub(crate) fn encode_cursor(after: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(after.as_bytes())
}

fn decode_cursor(cursor: &str) -> Option<Uuid> {
    let id = Uuid::from_slice(&URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    (id.get_version_num() == 7).then_some(id)
}
