//! Which function a request goes to.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;

use super::template::{self, TemplateError};

/// The key of the route that takes what no other route takes.
const DEFAULT: &str = "$default";

/// A route of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `$default`, or a method (or `ANY`) and a path with its variables.
    pub key: String,
    /// The logical id of the function in the template.
    pub function: String,
    /// The package that holds the function's code.
    pub package: String,
}

/// The route that a request matched, and what its variables stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// See [`Route::key`].
    pub route_key: String,
    /// See [`Route::function`].
    pub function: String,
    /// See [`Route::package`].
    pub package: String,
    /// The values of the path's variables.
    pub path_parameters: BTreeMap<String, String>,
}

impl Matched {
    /// Whether only the `$default` route would have the request.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.route_key == DEFAULT
    }
}

/// The routes of an HTTP API.
#[derive(Clone, Debug)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// Reads the `AWS::ApiGatewayV2::Route` resources of a `CloudFormation` or SAM template.
    ///
    /// # Errors
    ///
    /// When the template is no YAML, or a route in it does not lead to exactly one function.
    pub fn from_template(yaml: &str) -> Result<Self, TemplateError> {
        template::routes(yaml).map(Self)
    }

    /// All routes, in the order of their logical ids.
    #[must_use]
    pub fn all(&self) -> &[Route] {
        &self.0
    }

    /// The keys of all routes, in alphabetical order.
    #[must_use]
    pub fn route_keys(&self) -> BTreeSet<&str> {
        self.0.iter().map(|route| route.key.as_str()).collect()
    }

    /// The packages of all functions that a route leads to.
    #[must_use]
    pub fn packages(&self) -> BTreeSet<&str> {
        self.0.iter().map(|route| route.package.as_str()).collect()
    }

    /// The most specific route for a request, chosen as API Gateway does: a match of the whole path
    /// before a greedy one before `$default`; literal text before a variable, from the left; the
    /// method before `ANY`. The path is decoded and without the stage's prefix.
    #[must_use]
    pub fn choose(&self, method: &Method, path: &str) -> Option<Matched> {
        let matching = self.0.iter().filter_map(|route| route.matched(method, path));
        match matching.min_by(|(one, _), (other, _)| one.cmp(other)) {
            Some((_, matched)) => Some(matched),
            None => self.0.iter().find_map(Route::default),
        }
    }
}

/// How specific a match is; the least is the most specific.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    greedy: bool,
    segments: Vec<Segment>,
    any_method: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal,
    Variable,
    Greedy,
}

impl Route {
    fn matched(&self, method: &Method, path: &str) -> Option<(Rank, Matched)> {
        let (own_method, template) = self.key.split_once(' ')?;
        let any_method = own_method == "ANY";
        if !any_method && own_method != method.as_str() {
            return None;
        }
        let (segments, path_parameters) = walk(template, path)?;
        let greedy = segments.contains(&Segment::Greedy);
        let rank = Rank { greedy, segments, any_method };
        Some((rank, self.with(path_parameters)))
    }

    fn default(&self) -> Option<Matched> {
        (self.key == DEFAULT).then(|| self.with(BTreeMap::new()))
    }

    fn with(&self, path_parameters: BTreeMap<String, String>) -> Matched {
        Matched {
            route_key: self.key.clone(),
            function: self.function.clone(),
            package: self.package.clone(),
            path_parameters,
        }
    }
}

/// Matches the path segment by segment. Slashes at its start count once; one at its end makes it
/// another path.
fn walk(template: &str, path: &str) -> Option<(Vec<Segment>, BTreeMap<String, String>)> {
    let mut segments = Vec::new();
    let mut parameters = BTreeMap::new();
    let mut rest = Some(path.trim_start_matches('/'));
    for wanted in template.trim_start_matches('/').split('/') {
        let remainder = rest?;
        let (text, after) = match remainder.split_once('/') {
            Some((text, after)) => (text, Some(after)),
            None => (remainder, None),
        };
        let variable = wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        let (kind, after) = match variable.map(|name| (name, name.strip_suffix('+'))) {
            None if wanted == text => (Segment::Literal, after),
            Some((_, Some(name))) => {
                parameters.insert(name.to_owned(), remainder.to_owned());
                (Segment::Greedy, None)
            }
            Some((name, None)) if !text.is_empty() => {
                parameters.insert(name.to_owned(), text.to_owned());
                (Segment::Variable, after)
            }
            _ => return None,
        };
        segments.push(kind);
        rest = after;
    }
    rest.is_none().then_some((segments, parameters))
}
