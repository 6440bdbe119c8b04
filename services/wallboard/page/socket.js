// The connection. Every message on it is a whole frame, so there is nothing to catch up with after a reconnect.

// The server sends at least every 5 s: twice that without a frame is a dead connection, open or not.
export const HUNG_AFTER_MS = 10_000;
const FIRST_MS = 1_000;
const MOST_MS = 30_000;

// How long to wait before the next try (`tries` failed so far): doubling, between half and the whole of it, so that the
// walls of a municipality do not all come back in the same second.
export function backoff(tries, random) {
  const ceiling = Math.min(MOST_MS, 2 * FIRST_MS * 2 ** tries);
  return ceiling / 2 + (random * ceiling) / 2;
}

// Stays connected for as long as the page lives. `read(text)` returns a frame or null; `onFrame` gets each frame.
// `onConnected` hears whether a socket is open. `env` is the browser, or a test's stand-in.
export function keepConnected(url, { read, onFrame, onConnected }, env = globalThis) {
  let tries = 0;

  function connect() {
    const socket = new env.WebSocket(url);
    let watch = env.setTimeout(hung, HUNG_AFTER_MS);
    let over = false;

    // A hung peer does not answer the closing handshake either: let go of the socket at once, do not wait for `close`.
    function end(delay) {
      if (over) return;
      over = true;
      env.clearTimeout(watch);
      socket.close();
      onConnected(false);
      env.setTimeout(connect, delay);
    }

    // Ten silent seconds are delay enough, and before the first board silence is normal: no longer waits for this.
    function hung() {
      end(backoff(0, env.Math.random()));
    }

    socket.onopen = () => over || onConnected(true);
    socket.onmessage = ({ data }) => {
      if (over) return;
      const frame = read(data);
      if (frame === null) return; // what is no frame does not prove that the feed lives
      env.clearTimeout(watch);
      watch = env.setTimeout(hung, HUNG_AFTER_MS);
      tries = 0; // only a frame says that the server is well: one that accepts and drops must not be hammered
      onFrame(frame);
    };
    socket.onclose = () => end(backoff(tries++, env.Math.random()));
  }

  connect();
}
