//! A loopback HTTP/1.1 server that lives as long as its handle.

use std::{
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

/// What both servers of this module answer with.
pub(super) type Reply = Response<Full<Bytes>>;

/// A listener on a free loopback port. Dropping it closes the port and every connection.
pub(super) struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Listens on 127.0.0.1 and answers every request, given the peer's address.
    pub(super) async fn start<A, F>(answer: A) -> io::Result<Self>
    where
        A: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Reply> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, answer));
        Ok(Self { address, accepting })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves connections until the task is aborted, which aborts the connections with it.
async fn accept<A, F>(listener: TcpListener, answer: A)
where
    A: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let mut connections = JoinSet::new();
    while let Ok((stream, peer)) = listener.accept().await {
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let reply = answer(peer, request);
            async move { Ok::<_, Infallible>(reply.await) }
        });
        connections.spawn(async move {
            let _ = stream.set_nodelay(true);
            // A peer that goes away is no fault of the server's.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}
