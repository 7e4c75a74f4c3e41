//! Writes every page into a folder, to be looked at: `cargo run -p authorize --example pages -- FOLDER [BASE]`.
//! The pages load their style from BASE, by default `.`, the folder itself.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use askama::Template;
use authorize::pages::{
    AppView, ClientView, Consent, FormPost, KnownBrowser, Notice, Register, RegisterErrors,
    RequestFields, ScopeView, SignIn, SignOut, SignedOut, claim_in_words,
};
use identety_domain::Scope;
use identety_domain::client::Destination;
use identety_domain::user::UserClaim;

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "target/pages".to_owned()));
    let base = arguments.next().unwrap_or_else(|| ".".to_owned());
    fs::create_dir_all(&folder)?;
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for file in ["style.css", "form_post.js"] {
        fs::copy(templates.join(file), folder.join(file))?;
    }
    let gallery = Gallery { folder, base };
    gallery.sign_in()?;
    gallery.register()?;
    gallery.consent()?;
    gallery.others()
}

/// Where the pages go.
struct Gallery {
    folder: PathBuf,
    base: String,
}

const REQUEST: RequestFields<'_> =
    RequestFields { transaction: "t", csrf: "c", query: "client_id=a" };

const BOOKSHOP: ClientView<'_> = ClientView {
    name: "Bookshop",
    client_uri: Some("https://bookshop.example/"),
    logo_uri: Some("logo.svg"),
    policy_uri: Some("https://bookshop.example/privacy"),
    tos_uri: Some("https://bookshop.example/terms"),
};

const PLAIN: ClientView<'_> = ClientView {
    name: "Field notes",
    client_uri: None,
    logo_uri: None,
    policy_uri: None,
    tos_uri: None,
};

/// A name of the greatest length, without a place to break it.
const LONG: &str = "Donaudampfschifffahrtsgesellschaftskapitaenswitwenrentenauszahlungsstellenverwaltungsangestellte1234";

impl Gallery {
    fn write(&self, name: &str, page: &impl Template) -> io::Result<()> {
        let html = page.render().map_err(io::Error::other)?;
        fs::write(self.folder.join(name).with_extension("html"), html)
    }

    fn sign_in(&self) -> io::Result<()> {
        let page = SignIn {
            base: &self.base,
            client: &BOOKSHOP,
            request: REQUEST,
            email: "",
            error: None,
            can_register: true,
        };
        self.write("sign_in", &page)?;
        let error = Some("That email and password do not belong together.");
        self.write("sign_in_error", &SignIn { error, email: "ada@example.com", ..page })?;
        let client = &ClientView { name: LONG, ..BOOKSHOP };
        self.write("sign_in_long", &SignIn { client, email: "", ..page })?;
        self.write("sign_in_plain", &SignIn { client: &PLAIN, can_register: false, ..page })
    }

    fn register(&self) -> io::Result<()> {
        let page = Register {
            base: &self.base,
            client: &BOOKSHOP,
            request: REQUEST,
            email: "",
            name: "",
            password_rule: "At least 12 characters.",
            errors: RegisterErrors::default(),
        };
        self.write("register", &page)?;
        let errors = RegisterErrors {
            form: Some("The account could not be made."),
            email: Some("That is not an email address."),
            name: Some("Please say what to call you."),
            password: Some("That is too short."),
        };
        self.write("register_errors", &Register { errors, email: "ada@example", ..page })
    }

    fn consent(&self) -> io::Result<()> {
        let text = "openid profile email address phone offline_access orders:read";
        let scope = Scope::parse(text).map_err(io::Error::other)?;
        let page = Consent {
            base: &self.base,
            client: &BOOKSHOP,
            user_email: "ada@example.com",
            request: REQUEST,
            session: "s",
            scopes: scope.iter().map(ScopeView::from).collect(),
            claims: vec![claim_in_words(UserClaim::Birthdate)],
            resources: &[],
            destination: Destination::Server("bookshop.example"),
        };
        self.write("consent", &page)?;
        let long = "https://api.example.com/a/scope/with/a/very/long/name.and.no.place.to.break.it";
        let scopes = vec![ScopeView { name: long, text: None }];
        let client = &ClientView { name: LONG, ..BOOKSHOP };
        let resources = &[long.to_owned(), "https://api.example.com".to_owned()];
        let destination = Destination::Loopback("127.0.0.1:49152");
        let page = Consent { client, scopes, resources, destination, claims: Vec::new(), ..page };
        self.write("consent_long", &page)?;
        let destination = Destination::App("cursor");
        let scopes = Vec::new();
        let page = Consent { client: &PLAIN, scopes, resources: &[], destination, ..page };
        self.write("consent_no_scope", &page)
    }

    fn others(&self) -> io::Result<()> {
        let base = self.base.as_str();
        let hidden = vec![("state", "s")];
        let user_email = Some("ada@example.com");
        let page = SignOut { base, user_email, csrf: "c", hidden, leads_to_client: true };
        self.write("sign_out", &page)?;
        self.write("sign_out_expired", &SignOut { user_email: None, ..page })?;
        self.write("signed_out", &SignedOut { base })?;
        self.write("known_browser", &KnownBrowser { base, token: "t" })?;
        let notice = Notice {
            base,
            title: "This link does not work",
            app: Some(AppView { name: "Bookshop", uri: Some("https://bookshop.example/") }),
            text: "The app that sent you here is not known to this server.",
            what_to_do: "Go back to the app and try again. If that does not help, tell its makers.",
            request_id: Some("0193f1a2-7b3c-7d4e-8f50-a1b2c3d4e5f6"),
        };
        self.write("notice", &notice)?;
        let fields = &[("code", "c"), ("state", "s")];
        let action = "https://bookshop.example/cb";
        self.write("form_post", &FormPost { base, action, fields, is_silent: false })
    }
}
