//! `GET /admin/clients` and `/admin/users`: `{nodes, meta}`.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::StatusCode;
use identety_domain::store::{From, Order, StoreError};
use identety_http::context::HeldContext;
use identety_http::problem::{self, Problem};
use identety_http::response;
use serde_json::{Map, Value, json};

use crate::list_query::{ListQuery, SortBy, Start, encode_cursor};
use crate::resource::{Piece, Resource};
use crate::state::Management;

/// How many are sorted here; more are sorted only by the index of the table.
const MAX_SORTED: u64 = 1000;

/// How many one read of the store gives.
const PIECE: u32 = 100;

pub(crate) async fn get<R: Resource>(
    State(state): State<Arc<Management>>,
    mut context: HeldContext,
    RawQuery(query): RawQuery,
) -> Response {
    problem::answer(&mut context, answered::<R>(&state, query.as_deref()).await)
}

async fn answered<R: Resource>(
    state: &Management,
    query: Option<&str>,
) -> Result<Response, Problem> {
    let query = ListQuery::<R>::parse(query.unwrap_or_default())?;
    let (total, list) = list(state, &query).await?;
    answer(&query, total, &list)
}

async fn list<R: Resource>(
    state: &Management,
    query: &ListQuery<R>,
) -> Result<(Option<u64>, Piece<R>), Problem> {
    let by = match query.sort_by {
        SortBy::CreatedAt => {
            let total = match query.start {
                Start::Page(_) => Some(R::count(state).await?),
                // Who follows cursors through a long list must not have all of it counted at each step.
                Start::After(_) => None,
            };
            let piece = R::list(state, query.order, query.from(), query.limit).await?;
            return Ok((total, piece));
        }
        SortBy::Key(key) => key,
    };
    let total = R::count(state).await?;
    if total > MAX_SORTED {
        let rule = format!("sorts at most 1000 {}s by this; use createdAt", R::NAME);
        return Err(Problem::invalid_field("sortBy", rule));
    }
    let mut nodes = all::<R>(state).await?;
    nodes.sort_by(|a, b| R::compare(by, a, b).then(a.id().cmp(&b.id())));
    if query.order == Order::NewestFirst {
        nodes.reverse();
    }
    let skipped = match query.from() {
        From::Offset(offset) => usize::try_from(offset).unwrap_or(usize::MAX),
        From::After(_) => 0,
    };
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let nodes = nodes.into_iter().skip(skipped).take(limit).collect();
    Ok((Some(total), Piece { nodes, next: None }))
}

async fn all<R: Resource>(state: &Management) -> Result<Vec<R>, StoreError> {
    let mut nodes = Vec::new();
    let mut from = From::Offset(0);
    loop {
        let piece = R::list(state, Order::OldestFirst, from, PIECE).await?;
        nodes.extend(piece.nodes);
        match piece.next {
            Some(id) => from = From::After(id),
            None => return Ok(nodes),
        }
    }
}

fn answer<R: Resource>(
    query: &ListQuery<R>,
    total: Option<u64>,
    list: &Piece<R>,
) -> Result<Response, Problem> {
    let nodes: Vec<_> =
        list.nodes.iter().map(|node| narrowed(node, query.columns.as_deref())).collect();
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
    Ok(response::json(StatusCode::OK, &json!({ "nodes": nodes, "meta": meta }))?)
}

/// The node, or only those of its members that were asked for.
fn narrowed<R: Resource>(node: &R, columns: Option<&[String]>) -> Map<String, Value> {
    let mut members = node.members();
    if let Some(columns) = columns {
        members.retain(|name, _| columns.contains(name));
    }
    members
}
