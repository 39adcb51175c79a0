import { errorBody } from './answer.ts';
import { type Fault, parseFault } from './fault.ts';
import type { Recorder } from './recorder.ts';

/**
 * Out-of-band switches, for tests:
 * - `POST /control {"fault":"status=500","times":2}`: for the next two requests; without `times` until changed;
 *   `{"fault":""}` ends it
 * - `GET /control/requests`: what was received (see recorder.ts); `DELETE` forgets it
 */
export class Control {
  readonly #recorder: Recorder;
  #fault: Fault = {};
  #times = 0;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  /** The fault for the next request, used up by it. */
  take(): Fault {
    if (this.#times <= 0) return {};
    this.#times--;
    return this.#fault;
  }

  set(fault: string, times = Number.POSITIVE_INFINITY): void {
    this.#fault = parseFault(fault);
    this.#times = fault === '' ? 0 : times;
  }

  /** @returns status and JSON of the answer */
  handle(method: string, path: string, body: Buffer): [number, object] {
    switch (`${method} ${path}`) {
      case 'GET /control/requests':
        return [200, { requests: this.#recorder.all() }];
      case 'DELETE /control/requests':
        this.#recorder.clear();
        return [200, {}];
      case 'POST /control':
        return this.#switch(body);
      default:
        return [404, errorBody(`${method} ${path} is unknown`)];
    }
  }

  #switch(body: Buffer): [number, object] {
    try {
      const { fault, times } = JSON.parse(body.toString('utf8'));
      this.set(String(fault), times);
      return [200, {}];
    } catch (error) {
      return [400, errorBody(String(error))];
    }
  }
}
