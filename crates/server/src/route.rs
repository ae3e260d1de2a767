//! What a route is, and how the table of them becomes a router.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use utoipa::ToSchema;

use crate::access::Access;
use crate::answer::Failure;
use crate::app::Shared;
use crate::guard::{Gate, finished, guard};
use crate::lanes::Lane;
use crate::openapi::{Extracts, Taken, Typed};
use crate::routes;

/// How much the body of a request may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// One thing.
    One,
    /// Many things at once.
    Many,
}

/// What is known of a route besides its handler.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) method: Method,
    /// Its path; `{…}` stands for a part that is a value.
    pub(crate) path: &'static str,
    /// Who may call it. There is no route that does not say so.
    pub(crate) access: Access,
    pub(crate) lane: Lane,
    pub(crate) size: Size,
    /// What may stand behind the `?`.
    pub(crate) query: &'static [&'static str],
    /// What it does, in a few words.
    pub(crate) summary: &'static str,
}

/// What an answer holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Given {
    /// An object of this shape.
    Shape(Typed),
    /// Text of this media type.
    Text(&'static str),
    /// Nothing.
    Nothing,
}

/// A line of the table.
pub(crate) struct Route {
    pub(crate) rules: Rules,
    /// What its handler takes of a request.
    pub(crate) taken: Taken,
    /// What it answers, by status, when it did what was asked.
    pub(crate) given: Vec<(u16, Given)>,
    handler: MethodRouter<Shared>,
}

impl Route {
    fn new(rules: Rules, taken: Taken, handler: MethodRouter<Shared>) -> Self {
        Self { rules, taken, given: Vec::new(), handler }
    }

    /// The same, which answers a `T` with this status.
    pub(crate) fn gives<T: ToSchema>(mut self, status: u16) -> Self {
        self.given.push((status, Given::Shape(Typed::of::<T>())));
        self
    }

    /// The same, which answers nothing with this status.
    pub(crate) fn gives_nothing(mut self, status: u16) -> Self {
        self.given.push((status, Given::Nothing));
        self
    }

    /// The same, which answers text of this media type.
    pub(crate) fn gives_text(mut self, media: &'static str) -> Self {
        self.given.push((200, Given::Text(media)));
        self
    }

    /// The same, in the lane of leases.
    pub(crate) fn in_lane(mut self, lane: Lane) -> Self {
        self.rules.lane = lane;
        self
    }

    /// The same, with these behind the `?`.
    pub(crate) fn query(mut self, names: &'static [&'static str]) -> Self {
        self.rules.query = names;
        self
    }

    /// The same, with room for many things at once.
    pub(crate) fn of_many(mut self) -> Self {
        self.rules.size = Size::Many;
        self
    }
}

macro_rules! methods {
    ($($name:ident $method:ident),+) => {
        $(
            /// A route of this method: its path, who may call it, what it does, and how.
            pub(crate) fn $name<H, T>(
                path: &'static str,
                access: Access,
                summary: &'static str,
                handler: H,
            ) -> Route
            where
                H: Handler<T, Shared>,
                T: Extracts + 'static,
            {
                let rules = Rules {
                    method: Method::$method,
                    path,
                    access,
                    lane: Lane::Ordinary,
                    size: Size::One,
                    query: &[],
                    summary,
                };
                Route::new(rules, T::taken(), on(MethodFilter::$method, handler))
            }
        )+
    };
}

methods!(get GET, post POST, put PUT, patch PATCH, delete DELETE);

/// The table as a router.
pub(crate) fn router(app: &Shared) -> Router {
    let mut router = Router::new();
    for Route { rules, handler, .. } in routes::table() {
        let path = rules.path;
        let gate = Gate { app: Arc::clone(app), rules: Arc::new(rules) };
        router = router.route(path, handler.layer(from_fn_with_state(gate, guard)));
    }
    router.fallback(nowhere).method_not_allowed_fallback(not_so).with_state(Arc::clone(app))
}

async fn nowhere(State(app): State<Shared>) -> Response {
    let failure =
        Failure::not_found("there is nothing at this address; /api/v1/openapi.json tells what there is");
    finished(failure.into_response(), &app)
}

async fn not_so(State(app): State<Shared>, method: Method) -> Response {
    let failure = Failure::new("invalid", format!("nothing is done here by {method}"));
    finished(failure.with_status(StatusCode::METHOD_NOT_ALLOWED).into_response(), &app)
}
