import type { Cost } from '../../pricing/cost.ts';
import { ceilDivide } from '../../pricing/decimal.ts';
import type { Usage } from '../../pricing/usage.ts';
import type { ApiFamily } from '../body/api-family.ts';

/** What an answer tells its client about the money. */
export interface CostFields {
  cost: Cost;
  /** What the ledger took: the cost, or less, or rounded up to whole sats. */
  chargedMsat: bigint;
  /** Undefined while the ledger has not said. */
  remainingMsat: bigint | undefined;
}

/** One request's usage and cost, for its answer. */
export interface Spent {
  family: ApiFamily;
  usage: Usage;
  fields: CostFields;
}

/** Ours in a usage object. An upstream that sends these itself (another Routstr node, OpenRouter) means its own price. */
export const COST_MEMBERS: ReadonlySet<string> = new Set(['cost', 'cost_sats', 'remaining_balance_msats']);

/** `"cost":{…},"cost_sats":…` as Routstr's clients read them. */
export function costMembers({ cost, chargedMsat, remainingMsat }: CostFields): string {
  const parts = [
    `"base_msats":${cost.baseMsat}`,
    `"input_msats":${cost.inputMsat}`,
    `"output_msats":${cost.outputMsat}`,
    `"total_msats":${chargedMsat}`,
    `"cache_read_msats":${cost.cacheReadMsat}`,
    `"cache_creation_msats":${cost.cacheWriteMsat}`,
    `"total_usd":${cost.totalUsd ?? null}`,
  ];
  const sats = ceilDivide(chargedMsat, 1000n);
  const remaining = remainingMsat === undefined ? '' : `,"remaining_balance_msats":${remainingMsat}`;
  return `"cost":{${parts.join()}},"cost_sats":${sats}${remaining}`;
}

/** A whole usage object in the family's own words, for an answer that has none. */
export function usageObject({ family, usage, fields }: Spent): string {
  return `{${[...usageMembers(family, usage), costMembers(fields)].join()}}`;
}

function usageMembers(family: ApiFamily, usage: Usage): string[] {
  const input = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const output = usage.outputTokens;
  switch (family) {
    case 'messages':
      return [
        `"input_tokens":${usage.inputTokens}`,
        `"output_tokens":${output}`,
        `"cache_read_input_tokens":${usage.cacheReadTokens}`,
        `"cache_creation_input_tokens":${usage.cacheWriteTokens}`,
      ];
    case 'audio_transcription':
    case 'audio_translation':
      if (usage.audioSeconds > 0) return [`"type":"duration"`, `"seconds":${usage.audioSeconds}`];
      return ['"type":"tokens"', ...tokens('input', 'output', input, output)];
    case 'responses':
    case 'images':
    case 'audio_speech':
      return tokens('input', 'output', input, output);
    case 'extra':
      return [];
    default:
      return tokens('prompt', 'completion', input, output);
  }
}

function tokens(inputName: string, outputName: string, input: number, output: number): string[] {
  return [
    `"${inputName}_tokens":${input}`,
    `"${outputName}_tokens":${output}`,
    `"total_tokens":${input + output}`,
  ];
}
