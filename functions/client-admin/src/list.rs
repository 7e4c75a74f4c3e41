//! `GET /admin/clients`: `{nodes, meta}`.

use std::cmp::Ordering;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use identety_domain::client::Client;
use identety_domain::store::{ClientList, From, Order, StoreError};
use identety_http::edge::Context;
use identety_http::problem::Problem;
use identety_http::response;
use serde_json::{Map, Value, json};

use crate::list_query::{ListQuery, SortBy, Start, encode_cursor};
use crate::{Management, representation, store_problem};

/// How many clients are sorted here; more are sorted only by the index of the table.
const MAX_SORTED: u64 = 1000;

/// How many clients one read of the store gives.
const PIECE: u32 = 100;

pub(crate) async fn get(
    State(state): State<Arc<Management>>,
    Extension(context): Extension<Context>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = match ListQuery::parse(query.as_deref().unwrap_or_default()) {
        Ok(query) => query,
        Err(errors) => return Problem::invalid(errors).into_response(),
    };
    match list(&state, &query, &context).await {
        Ok((total, list)) => answer(&query, total, &list, &context),
        Err(problem) => problem.into_response(),
    }
}

async fn list(
    state: &Management,
    query: &ListQuery,
    context: &Context,
) -> Result<(u64, ClientList), Problem> {
    let failed = |error: StoreError| store_problem(&error, &context.id);
    let total = state.clients.count().await.map_err(failed)?;
    if query.sort_by == SortBy::CreatedAt {
        let list = state.clients.list(query.order, query.from(), query.limit).await;
        return Ok((total, list.map_err(failed)?));
    }
    if total > MAX_SORTED {
        let rule = "sorts at most 1000 clients by this; use createdAt";
        return Err(Problem::invalid_field("sortBy", rule));
    }
    let mut clients = all(state).await.map_err(failed)?;
    clients.sort_by(|a, b| compare(query.sort_by, a, b).then(a.id.cmp(&b.id)));
    if query.order == Order::NewestFirst {
        clients.reverse();
    }
    let skipped = match query.from() {
        From::Offset(offset) => usize::try_from(offset).unwrap_or(usize::MAX),
        From::After(_) => 0,
    };
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let clients = clients.into_iter().skip(skipped).take(limit).collect();
    Ok((total, ClientList { clients, next: None }))
}

async fn all(state: &Management) -> Result<Vec<Client>, StoreError> {
    let mut clients = Vec::new();
    let mut from = From::Offset(0);
    loop {
        let piece = state.clients.list(Order::OldestFirst, from, PIECE).await?;
        clients.extend(piece.clients);
        match piece.next {
            Some(id) => from = From::After(id),
            None => return Ok(clients),
        }
    }
}

fn compare(by: SortBy, a: &Client, b: &Client) -> Ordering {
    match by {
        SortBy::CreatedAt => a.id.cmp(&b.id),
        SortBy::Name => a.metadata.name.to_lowercase().cmp(&b.metadata.name.to_lowercase()),
        SortBy::UpdatedAt => a.updated_at.cmp(&b.updated_at),
        SortBy::Type => a.kind.as_str().cmp(b.kind.as_str()),
        SortBy::ClientId => a.client_id.as_str().cmp(b.client_id.as_str()),
        SortBy::IsActive => a.metadata.is_active.cmp(&b.metadata.is_active),
    }
}

fn answer(query: &ListQuery, total: u64, list: &ClientList, context: &Context) -> Response {
    let nodes: Vec<_> =
        list.clients.iter().map(|client| narrowed(client, query.columns.as_deref())).collect();
    let page = match query.start {
        Start::Page(page) => Some(page),
        Start::After(_) => None,
    };
    let meta = json!({
        "limit": query.limit,
        "page": page,
        "total": total,
        "nextCursor": list.next.map(encode_cursor),
    });
    response::json(StatusCode::OK, &json!({ "nodes": nodes, "meta": meta }), &context.id)
}

/// The client, or only those of its members that were asked for.
fn narrowed(client: &Client, columns: Option<&[String]>) -> Map<String, Value> {
    let mut members = representation::of(client);
    if let Some(columns) = columns {
        members.retain(|name, _| columns.contains(name));
    }
    members
}
