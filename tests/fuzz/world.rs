//! A server to send things to.

use std::panic::AssertUnwindSafe;

use identety_tests::app::{TestApp, TestClient, TestUser};
use identety_tests::call::{Answer, Call};
use tokio::runtime::{Builder, Runtime};

/// A server, some of what it knows, and a runtime of its own.
pub(crate) struct World {
    runtime: Runtime,
    pub(crate) app: TestApp,
    /// An m2m client.
    pub(crate) machine: TestClient,
    /// A private client that acts for users.
    pub(crate) client: TestClient,
    pub(crate) user: TestUser,
}

impl World {
    pub(crate) fn start() -> AssertUnwindSafe<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (app, machine, client, user) = runtime.block_on(async {
            let app = TestApp::start().await;
            let machine = app.m2m_client(&["clients:read"]).await;
            let (client, user) = (app.private_client().await, app.alice().await);
            (app, machine, client, user)
        });
        AssertUnwindSafe(Self { runtime, app, machine, client, user })
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The answer, which is never that the server has failed.
    pub(crate) fn ask(&self, call: Call) -> Answer {
        let answer = self.wait(call.send());
        let body = String::from_utf8_lossy(&answer.body);
        assert!((200..500).contains(&answer.status), "{} {body}", answer.status);
        answer
    }
}
