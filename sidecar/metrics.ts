import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What Prometheus can ask. Labels have few values each: never a key, a token, a model's id from a request or a URL. */
export type Metrics = ReturnType<typeof createMetrics>;

export interface Gauges {
  inFlight(): number;
  waiting(): number;
  bodyBytes(): number;
}

export function createMetrics(gauges: Gauges) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('routstr_requests_in_flight', 'Paid requests that run at the moment', gauges.inFlight);
  gauge('routstr_requests_waiting', 'Requests on their way to being admitted', gauges.waiting);
  gauge('routstr_body_bytes', 'Bytes of request and answer bodies in memory', gauges.bodyBytes);
  return {
    registry,
    requests: new Counter({
      name: 'routstr_requests_total',
      help: 'Answered requests on the paid port',
      labelNames: ['endpoint', 'status'] as const,
      registers,
    }),
    charged: new Counter({
      name: 'routstr_charged_msat_total',
      help: 'msat charged for served requests',
      labelNames: ['endpoint', 'estimated'] as const,
      registers,
    }),
    shortfall: new Counter({
      name: 'routstr_shortfall_msat_total',
      help: 'msat that were delivered beyond what an account could pay',
      registers,
    }),
    redeemed: new Counter({
      name: 'routstr_redeemed_msat_total',
      help: 'msat credited for Cashu tokens',
      registers,
    }),
    redemptionAlerts: new Counter({
      name: 'routstr_redemption_alerts_total',
      help: 'Redemptions that need a look: a mint that contradicts itself, or reused counters',
      labelNames: ['event'] as const,
      registers,
    }),
    ledgerRetries: new Counter({
      name: 'routstr_ledger_retries_total',
      help: 'Settles and releases that had to be written again',
      registers,
    }),
    upstreamFailures: new Counter({
      name: 'routstr_upstream_failures_total',
      help: 'Requests that the upstream did not answer',
      labelNames: ['kind'] as const,
      registers,
    }),
    firstByte: new Histogram({
      name: 'routstr_upstream_first_byte_seconds',
      help: 'From forwarding a request to the head of its answer',
      buckets: [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
  };
}
