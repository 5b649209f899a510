//! A way to a server that can be cut: with connections that end and are refused, as of a server that is gone, or with
//! silence, as of a network that swallows everything.
//!
//! The tests of the crates below the portal take this file by its path, so it knows nothing but tokio.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Carries what comes to one address to another.
pub struct Proxy {
    address: SocketAddr,
    to: (String, u16),
    silent: watch::Sender<bool>,
    /// None while connections are refused.
    accepting: Option<JoinHandle<()>>,
    /// Has the port, and listens later: it would be anybody's otherwise while connections are refused.
    reserve: TcpSocket,
}

impl Proxy {
    /// Listens on a free port.
    pub async fn to(host: &str, port: u16) -> io::Result<Proxy> {
        let first = socket(0)?;
        let address = first.local_addr()?;
        let reserve = socket(address.port())?;
        let silent = watch::Sender::new(false);
        let mut proxy = Proxy { address, to: (host.to_owned(), port), silent, accepting: None, reserve };
        proxy.accept(first)?;
        Ok(proxy)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection and refuses new ones.
    pub async fn refuse(&mut self) {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            // Its end is that it was aborted.
            accepting.await.ok();
        }
    }

    /// Carries nothing any more, and ends nothing.
    pub fn silence(&self) {
        self.silent.send_replace(true);
    }

    /// Carries again. What was held back by a silence arrives, as a network would send it again.
    pub fn restore(&mut self) -> io::Result<()> {
        self.silent.send_replace(false);
        if self.accepting.is_none() {
            let next = socket(self.address.port())?;
            let reserved = std::mem::replace(&mut self.reserve, next);
            self.accept(reserved)?;
        }
        Ok(())
    }

    fn accept(&mut self, socket: TcpSocket) -> io::Result<()> {
        let listener = socket.listen(1024)?;
        self.accepting = Some(tokio::spawn(accept(listener, self.to.clone(), self.silent.subscribe())));
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

/// Two may be bound to one port where neither of them listens yet.
fn socket(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    Ok(socket)
}

async fn accept(listener: TcpListener, to: (String, u16), silent: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(connect(client, to.clone(), silent.clone()));
    }
}

async fn connect(client: TcpStream, to: (String, u16), silent: watch::Receiver<bool>) -> io::Result<()> {
    let server = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::try_join!(carry(from_client, to_server, silent.clone()), carry(from_server, to_client, silent))?;
    Ok(())
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut silent: watch::Receiver<bool>) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        // Without its sender, the proxy is gone.
        silent.wait_for(|silent| !silent).await.map_err(io::Error::other)?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(buffer.get(..read).unwrap_or_default()).await?;
    }
}
