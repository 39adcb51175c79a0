import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createRedeemer, type MintListing } from '../cashu/index.ts';
import { LiveSession, openLedger, runReaper, systemClock } from '../ledger/index.ts';
import { Admission } from './admission/admit.ts';
import { ClientLimits } from './admission/client-limits.ts';
import { MemoryBudget } from './admission/memory-budget.ts';
import { RunningRequests } from './admission/running-requests.ts';
import { untilWritten } from './admission/until-written.ts';
import { mergeChanged } from './changed-settings.ts';
import type { Context, Load } from './context.ts';
import { Drain } from './drain.ts';
import { HttpError } from './errors.ts';
import { every } from './every.ts';
import { UnfinishedAnswers } from './inference/unfinished-answers.ts';
import { loadOffer } from './load-offer.ts';
import { createMetrics } from './metrics.ts';
import type { Offer } from './offer.ts';
import { watchFiles } from './reload.ts';
import { balanceRoutes } from './routes/balance.ts';
import { inferenceRoutes } from './routes/inference.ts';
import { infoRoutes } from './routes/info.ts';
import { lightningRoutes } from './routes/lightning.ts';
import { refundRoutes } from './routes/refund.ts';
import { createAdminServer } from './server/admin-server.ts';
import { createDrainServer } from './server/drain-server.ts';
import { OpenReplies } from './server/open-replies.ts';
import { createPaidServer } from './server/paid-server.ts';
import type { SessionInUse } from './session-in-use.ts';
import type { Settings } from './settings.ts';
import { Upstream } from './upstream/upstream.ts';

export interface SidecarOptions {
  settings: Settings;
  /** Reads the settings again, when a file changed. */
  reread: () => Promise<Settings>;
  /** Files whose change means that the settings or the catalogue changed. */
  files: readonly string[];
  log: Logger;
  version: string;
}

export interface Sidecar {
  /** The ports it listens on. */
  ports: { paid: number; admin: number; drain: number };
  /** Drains, then closes everything. Resolves when nothing is left to write. */
  stop(): Promise<void>;
}

/** ms between two writes of what running requests owe. */
const accrueEvery = 1_000;
const upstreamLookEvery = 5_000;
const recoverEvery = 5_000;
const reloadEvery = 2_000;
/** ms an answer waits for its charge to be written before it goes out with the charge still on its way. */
const settlePatience = 5_000;

/** Wires the paying proxy together and starts it. */
export async function startSidecar({
  settings,
  reread,
  files,
  log,
  version,
}: SidecarOptions): Promise<Sidecar> {
  const clock = systemClock;
  const end = new AbortController();
  let offer: Offer = await loadOffer(settings);
  const ledger = await openLedger(settings.DATABASE_URL, { clock });

  const running = new RunningRequests();
  const unfinished = new UnfinishedAnswers();
  const replies = new OpenReplies();
  const load: Load = { waiting: 0 };
  const budget = new MemoryBudget(() => offer.settings.MEMORY_LIMIT_BYTES);
  const metrics = createMetrics({
    inFlight: () => running.size,
    waiting: () => load.waiting,
    bodyBytes: () => budget.used,
  });

  const live = await LiveSession.open({
    ledger,
    provider: settings.PROVIDER,
    clock,
    holdsInMemory: () => running.holds(),
    onFenced: ({ id }) =>
      log.warn({ session: id }, 'the ledger took this process for dead: it goes on under a new session'),
  });
  const session: SessionInUse = {
    id: () => live.session.id,
    trusted: () => clock.monotonic() < live.trustedUntil(),
  };
  const onBroken = (error: unknown) =>
    log.error(
      { err: error },
      'a request could not be settled: what it accrued is charged when this process ends',
    );

  const insist = untilWritten({
    patience: settlePatience,
    trusted: session.trusted,
    onRetry: () => metrics.ledgerRetries.inc(),
    onBroken,
  });
  const redeemer = createRedeemer({
    store: ledger,
    mints: listings(offer),
    lockKey: settings.WALLET_PUBLIC_KEY,
    ...(settings.WALLET_VIEW_KEY !== undefined && { viewKey: settings.WALLET_VIEW_KEY }),
    redemptionsPerSecond: settings.MINT_REDEMPTIONS_PER_SECOND,
    provider: settings.PROVIDER,
    session: () => live.session,
    clock,
    ...(settings.MAX_EXPOSURE_SATS !== undefined && {
      maxExposure: BigInt(settings.MAX_EXPOSURE_SATS) * 1000n,
    }),
    onEvent: (event) => {
      if ('amount' in event) metrics.redeemed.inc(Number(event.amount));
      if (event.alert) metrics.redemptionAlerts.inc({ event: event.kind });
      log[event.alert ? 'error' : 'info'](event, 'redemption');
    },
  });
  const limits = new ClientLimits(() => offer.settings.REDEMPTIONS_PER_MINUTE, clock.monotonic);
  const admission = new Admission({
    ledger,
    redeemer,
    running,
    session,
    provider: settings.PROVIDER,
    mints: () => offer.mints,
    limits,
    untilWritten: insist,
  });
  const upstream = new Upstream({
    baseUrl: settings.UPSTREAM_BASE_URL,
    silence: settings.UPSTREAM_TIMEOUT * 1000,
    connections: settings.CONCURRENCY,
  });
  const drain = new Drain({
    running,
    replies,
    propagation: () => offer.settings.DRAIN_PROPAGATION * 1000,
    deadline: () => offer.settings.DRAIN_DEADLINE * 1000,
    cut: () => unfinished.cut(),
  });

  const context: Context = {
    ledger,
    admission,
    upstream,
    drain,
    metrics,
    budget,
    running,
    unfinished,
    load,
    limits,
    offer: () => offer,
    session,
    onBroken,
    now: clock.now,
    signal: end.signal,
  };
  const paid = await createPaidServer({ settings, budget, replies, log, metrics });
  infoRoutes(paid, context, version);
  balanceRoutes(paid, context);
  refundRoutes(paid, context);
  lightningRoutes(paid, context);
  inferenceRoutes(paid, context);

  const admin = createAdminServer(
    () => ({
      draining: drain.state !== 'serving',
      upstream: upstream.healthy ?? false,
      ledger: session.trusted(),
      catalogue: offer.catalogue.version,
    }),
    metrics,
  );
  let leaving = false;
  const drainServer = createDrainServer(settings.DRAIN_TOKEN, async () => {
    await drain.start();
    // A preStop hook of the model's container alone: its kubelet starts it again, and we serve again.
    if (!leaving) drain.cancel();
  });
  const servers: [FastifyInstance, number][] = [
    [paid, settings.PORT],
    [admin, settings.ADMIN_PORT],
    [drainServer, settings.DRAIN_PORT],
  ];
  for (const [server, port] of servers) await server.listen({ host: settings.HOST, port });

  const lookAtUpstream = () => {
    const apiKey = offer.settings.UPSTREAM_API_KEY;
    return upstream.look(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }, end.signal);
  };
  const loops = [
    live.run(end.signal),
    runReaper(
      {
        ledger,
        clock,
        observer: () => live.session.id,
        onReaped: ({ id }, { holds, charged }) =>
          log.warn(
            { session: id, holds: holds.length, charged: Number(charged) },
            'ended what a dead process left',
          ),
      },
      end.signal,
    ),
    every(accrueEvery, () => running.accrue(ledger, live.session.id), log, end.signal),
    every(upstreamLookEvery, lookAtUpstream, log, end.signal),
    every(recoverEvery, () => redeemer.recover(end.signal), log, end.signal),
    watchFiles(
      files,
      reloadEvery,
      async () => {
        try {
          const changed = mergeChanged(offer.settings, await reread());
          if (changed.waiting.length > 0)
            log.warn({ settings: changed.waiting }, 'these changes need a restart');
          offer = await loadOffer(changed.settings);
          redeemer.setMints(listings(offer));
          log.info({ catalogue: offer.catalogue.version }, 'the settings were loaded again');
        } catch (error) {
          log.error({ err: error }, 'the changed settings can’t be used: the old ones stay');
        }
      },
      end.signal,
    ),
  ];
  const ports = portsOf(paid, admin, drainServer);
  if (settings.WALLET_VIEW_KEY === undefined) {
    log.warn(
      'no WALLET_VIEW_KEY: what comes in can be found at the mints only as long as the database is there',
    );
  }
  void redeemer.describeMints(end.signal).then((mints) => {
    for (const { url, usable, missingNuts } of mints) {
      if (!usable) log.warn({ mint: url, missingNuts }, 'tokens of this mint can’t be taken for now');
    }
  });
  log.info({ ...ports, provider: settings.PROVIDER, session: live.session.id }, 'selling');

  return {
    ports,
    async stop() {
      leaving = true;
      await drain.start();
      // Whoever still waits for a mint is told to come again: what was begun goes on without them.
      end.abort(new HttpError('draining', { retryAfter: 1 }));
      await Promise.all([...servers.map(([server]) => server.close()), ...loops]);
      await Promise.all([redeemer.close(), upstream.close()]);
      await ledger.close();
    },
  };
}

function portsOf(paid: FastifyInstance, admin: FastifyInstance, drain: FastifyInstance): Sidecar['ports'] {
  const port = (server: FastifyInstance) => (server.server.address() as AddressInfo).port;
  return { paid: port(paid), admin: port(admin), drain: port(drain) };
}

/** Both units of every mint: a token says which one it is in. */
function listings({ mints }: Offer): MintListing[] {
  return mints.map((url) => ({ url, units: ['sat', 'msat'] }));
}
