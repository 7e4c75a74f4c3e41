//! A network between a process and a service: one that can be made to hold what is on its way, or be cut.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a network does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Traffic {
    /// It passes everything on.
    Flows,
    /// It keeps what goes to the service.
    RequestsHeld,
    /// It passes on so many pieces of what comes from the service, and keeps the rest.
    AnswersHeld(u32),
    /// Connections end.
    Cut,
}

/// A port of this machine before a service.
pub struct Network {
    address: SocketAddr,
    traffic: watch::Sender<Traffic>,
    held: watch::Sender<u32>,
    accepting: JoinHandle<()>,
}

impl Network {
    /// A network before `service`, which flows.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn before(service: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (traffic, held) = (watch::Sender::new(Traffic::Flows), watch::Sender::new(0));
        let accepting = tokio::spawn(accept(listener, service, traffic.clone(), held.clone()));
        Ok(Self { address, traffic, held, accepting })
    }

    /// Its address, as an endpoint of AWS.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what it does, also to what it holds.
    pub fn set(&self, traffic: Traffic) {
        self.held.send_replace(0);
        self.traffic.send_replace(traffic);
    }

    /// Waits until it holds something.
    pub async fn holds(&self) {
        let mut held = self.held.subscribe();
        held.wait_for(|held| *held > 0).await.expect("the network is there");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    service: SocketAddr,
    traffic: watch::Sender<Traffic>,
    held: watch::Sender<u32>,
) {
    while let Ok((near, _)) = listener.accept().await {
        if *traffic.borrow() == Traffic::Cut {
            continue;
        }
        let Ok(far) = TcpStream::connect(service).await else { continue };
        let (_, _) = (near.set_nodelay(true), far.set_nodelay(true));
        let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
        let (requests, answers) = (Gate::new(&traffic, &held), Gate::new(&traffic, &held));
        tokio::spawn(async move {
            tokio::join!(
                carry(from_near, to_far, requests, false),
                carry(from_far, to_near, answers, true),
            )
        });
    }
}

/// What stands in one direction of one connection.
struct Gate {
    traffic: watch::Sender<Traffic>,
    held: watch::Sender<u32>,
}

impl Gate {
    fn new(traffic: &watch::Sender<Traffic>, held: &watch::Sender<u32>) -> Self {
        Self { traffic: traffic.clone(), held: held.clone() }
    }

    /// Waits until a piece may pass; false if the connection has ended.
    async fn pass(&self, is_answer: bool) -> bool {
        if is_answer {
            let is_counted = self.traffic.send_if_modified(|traffic| match traffic {
                Traffic::AnswersHeld(left) if *left > 0 => {
                    *left -= 1;
                    true
                }
                _ => false,
            });
            if is_counted {
                return true;
            }
        }
        let stops = |traffic: Traffic| match traffic {
            Traffic::Flows | Traffic::Cut => false,
            Traffic::RequestsHeld => !is_answer,
            Traffic::AnswersHeld(_) => is_answer,
        };
        let mut traffic = self.traffic.subscribe();
        if stops(*traffic.borrow_and_update()) {
            self.held.send_modify(|held| *held += 1);
        }
        let goes_on = traffic.wait_for(|traffic| !stops(*traffic)).await;
        goes_on.is_ok_and(|traffic| *traffic != Traffic::Cut)
    }
}

/// Carries what comes until one side ends.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, gate: Gate, is_answer: bool) {
    let mut piece = vec![0; 64 * 1024];
    let mut traffic = gate.traffic.subscribe();
    loop {
        let read = tokio::select! {
            read = from.read(&mut piece) => read,
            _ = traffic.wait_for(|traffic| *traffic == Traffic::Cut) => return,
        };
        let Ok(length @ 1..) = read else { return };
        if !gate.pass(is_answer).await {
            return;
        }
        if to.write_all(piece.get(..length).unwrap_or_default()).await.is_err() {
            return;
        }
    }
}
