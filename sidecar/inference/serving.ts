import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Payment } from '../admission/payment.ts';
import type { Context } from '../context.ts';
import type { Offer } from '../offer.ts';
import type { Client } from './client.ts';
import type { Order } from './order.ts';

/** A paid request on its way: from here on exactly one of settle and release ends its payment. */
export interface Serving {
  order: Order;
  offer: Offer;
  payment: Payment;
  client: Client;
  request: FastifyRequest;
  reply: FastifyReply;
  context: Context;
}
