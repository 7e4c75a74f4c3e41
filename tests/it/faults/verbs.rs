//! What fails, in the words of the stores: for tests that ask what becomes of one of their verbs.

use identety_tests::app::{Setup, TestApp};
use identety_tests::faults::{Fault, Faults, Which};

/// How a request fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum How {
    /// It does not arrive.
    Unavailable,
    /// What is stored cannot be read.
    Corrupt,
    /// It is carried out, and its answer does not arrive.
    AnswerLost,
}

impl How {
    fn fault(self) -> Fault {
        match self {
            Self::Unavailable => Fault::CutBefore,
            Self::Corrupt => Fault::Unreadable,
            Self::AnswerLost => Fault::CutAfter,
        }
    }
}

/// Which requests fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verb {
    Any,
    AnyWrite,
    FindClient,
    FindSession,
    CreateSession,
    EndSession,
    SignOut,
    FindUser,
    FindUserByEmail,
    CreateUser,
    Consented,
    Consent,
    CreateGrant,
    FindGrant,
    CreateTransaction,
    FindTransaction,
    AnswerTransaction,
    CountAttempt,
    FindAttempts,
    UncountAttempt,
    LoadKeys,
}

impl Verb {
    fn which(self) -> Which {
        let (reads, writes) = (Which::reads(), Which::writes());
        match self {
            Self::Any => Which::all(),
            Self::AnyWrite => writes,
            Self::FindClient => reads.of("CLIENT#"),
            Self::FindSession => reads.of("SESSION#"),
            Self::CreateSession => writes.of("SESSION#").by("PutItem"),
            Self::EndSession => writes.of("SESSION#").by("UpdateItem").saying("endedAt"),
            Self::SignOut => writes.of("SIGNEDOUT#"),
            Self::FindUser => reads.of("USER#"),
            Self::FindUserByEmail => reads.of("EMAIL#"),
            Self::CreateUser => writes.of("USER#").by("TransactWriteItems"),
            Self::Consented => reads.of("CONSENT#"),
            Self::Consent => writes.of("CONSENT#"),
            Self::CreateGrant => writes.of("GRANT#").by("PutItem"),
            Self::FindGrant => reads.of("GRANT#"),
            Self::CreateTransaction => writes.of("TRANSACTION#").by("PutItem"),
            Self::FindTransaction => reads.of("TRANSACTION#"),
            Self::AnswerTransaction => writes.of("TRANSACTION#").by("TransactWriteItems"),
            Self::CountAttempt => writes.of("ATTEMPTS#").saying(" ADD #"),
            Self::FindAttempts => reads.of("ATTEMPTS#"),
            Self::UncountAttempt => writes.of("ATTEMPTS#").saying("\"-1\""),
            Self::LoadKeys => reads.by("Query").saying("\"KEY\""),
        }
    }
}

/// Which requests fail, and how.
pub(crate) type Failure = (Verb, How);

pub(crate) const UNAVAILABLE: Failure = (Verb::Any, How::Unavailable);
pub(crate) const CORRUPT: Failure = (Verb::Any, How::Corrupt);
pub(crate) const UNAVAILABLE_FOR_WRITES: Failure = (Verb::AnyWrite, How::Unavailable);
pub(crate) const ANSWERS_LOST: Failure = (Verb::AnyWrite, How::AnswerLost);

/// What fails at the moment.
#[derive(Clone, Debug)]
pub(crate) struct Failing(pub(crate) Faults);

impl Failing {
    /// Lets requests fail from now on.
    pub(crate) fn set(&self, failure: Failure) {
        self.set_after(0, failure);
    }

    /// The same, after some more requests that go well.
    pub(crate) fn set_after(&self, passes: u32, (verb, how): Failure) {
        self.0.set_after(passes, verb.which(), how.fault());
    }

    /// Lets everything work again.
    pub(crate) fn clear(&self) {
        self.0.clear();
    }
}

/// A server on a DynamoDB that fails as a test says.
pub(crate) async fn faulty_app() -> (TestApp, Failing) {
    faulty_app_as(Setup::default()).await
}

/// The same, set up in another way.
pub(crate) async fn faulty_app_as(setup: Setup) -> (TestApp, Failing) {
    let (app, faults) = TestApp::start_faulty_as(setup).await;
    (app, Failing(faults))
}
