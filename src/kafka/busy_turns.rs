//! A mend of librdkafka 2.12.1, whose producers turn without rest while they wait for an acknowledgement.
//!
//! With five records of a partition under way nothing more of it is sent, but the time at which the next ones should have left stays the time at which the client's thread wants to wake: it is past, so
//! the thread looks at its socket thousands of times until the answer is there (`rd_kafka_toppar_producer_serve` asks `rd_kafka_msgq_allow_wakeup_at` before it looks at what is under way). A burst of
//! alerts when a pane closes cost a tenth of the whole pipeline's CPU time so. So the linker leads the call that looks at the socket here (`build.rs`), and of those that are not to wait and find nothing
//! each one after the first few in a row waits for a millisecond, the least that the client knows. An answer or room to write ends it at once; so does what is handed to the thread, but for what stands
//! behind other orders: of these the thread carries out one a turn, and asks without waiting in between, which the first few are for.

#![allow(unsafe_code, reason = "stands before a function of librdkafka; the block says why it is sound")]

use rdkafka::bindings as sys;
use std::cell::Cell;
use std::ffi::{c_int, c_void};

/// For how long a thread rests, ms.
const REST_MS: c_int = 1;
/// So many looks for nothing in a row are let go.
const FREE_LOOKS: u32 = 64;

// What is declared here is of this version (2.12.1): with another one look whether the mend is still wanted, and whether it fits.
const _: () = assert!(sys::RD_KAFKA_VERSION == 0x020c_01ff);

unsafe extern "C" {
    /// librdkafka's own, under the name that the linker gives it.
    fn __real_rd_kafka_transport_io_serve(transport: *mut c_void, queue: *mut c_void, timeout_ms: c_int) -> c_int;
}

thread_local! {
    /// This thread's looks in a row that were not to wait and found nothing.
    static IN_VAIN: Cell<u32> = const { Cell::new(0) };
}

/// Waits for a broker's socket, or for something that is handed to its thread; answers whether anything came.
///
/// # Safety
/// As of librdkafka's own, which alone calls it.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_rd_kafka_transport_io_serve(transport: *mut c_void, queue: *mut c_void, timeout_ms: c_int) -> c_int {
    // Negative is without end.
    let wait = if timeout_ms == 0 && IN_VAIN.get() >= FREE_LOOKS { REST_MS } else { timeout_ms };
    // SAFETY: what came in is handed on as it came, and any time-out is allowed.
    let came = unsafe { __real_rd_kafka_transport_io_serve(transport, queue, wait) };
    IN_VAIN.set(if timeout_ms == 0 && came == 0 { IN_VAIN.get().saturating_add(1) } else { 0 });
    #[cfg(test)]
    tests::note(IN_VAIN.get());
    came
}

/// Keeps the mend in every program that has a client.
pub(super) fn mend() {
    std::hint::black_box(__wrap_rd_kafka_transport_io_serve as *const ());
}

#[cfg(test)]
mod tests {
    use super::super::producer::now;
    use super::super::settings::Settings;
    use super::*;
    use rdkafka::config::FromClientConfig;
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    /// Counts begin anew with each.
    static WINDOW: AtomicU32 = AtomicU32::new(0);
    /// Of all threads the most looks for nothing, within the window, beyond those that are let go.
    static MOST: AtomicU32 = AtomicU32::new(0);

    thread_local! {
        /// A window, and this thread's looks in it.
        static LOOKS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
    }

    pub(super) fn note(in_vain: u32) {
        let window = WINDOW.load(Ordering::Relaxed);
        if in_vain <= FREE_LOOKS || window == 0 {
            return;
        }
        let (of, looks) = LOOKS.get();
        let looks = if of == window { looks + 1 } else { 1 };
        LOOKS.set((window, looks));
        MOST.fetch_max(looks, Ordering::Relaxed);
    }

    #[test]
    fn a_producer_that_waits_for_an_acknowledgement_rests() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("t", 1, 1).unwrap();
        let producer = BaseProducer::from_config(&Settings::new(&cluster.bootstrap_servers(), "g", "i").alerting()).unwrap();
        let send = |text: &str| producer.send(BaseRecord::<(), str>::to("t").partition(0).payload(text)).unwrap();
        send("the first finds its way");
        producer.flush(Duration::from_secs(30)).unwrap();
        cluster.broker_round_trip_time(1, Duration::from_millis(200)).unwrap();

        WINDOW.fetch_add(1, Ordering::Relaxed);
        MOST.store(0, Ordering::Relaxed);
        let began = now();
        // Five are under way, and hold the others up for a round trip.
        for _ in 0..40 {
            send("x");
            producer.poll(Duration::from_millis(5));
        }
        producer.flush(Duration::from_secs(60)).unwrap();
        let (took, most) = (began.elapsed().as_millis(), MOST.load(Ordering::Relaxed));
        assert!(most > 10, "the linker does not lead the call here, or nobody waited: {most}");
        assert!(u128::from(most) <= took + 1, "{most} looks for nothing in {took} ms");
    }
}
