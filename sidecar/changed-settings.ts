import { needsRestart, type SettingName, type Settings } from './settings.ts';

/**
 * The settings to go on with after a file changed: the new ones, but for those that are looked at only once.
 * @returns also the names of these whose change has to wait for a restart
 */
export function mergeChanged(
  running: Settings,
  changed: Settings,
): { settings: Settings; waiting: SettingName[] } {
  const settings: Record<string, unknown> = { ...changed };
  const waiting: SettingName[] = [];
  for (const name of needsRestart) {
    if (JSON.stringify(running[name]) !== JSON.stringify(changed[name])) waiting.push(name);
    if (running[name] === undefined) delete settings[name];
    else settings[name] = running[name];
  }
  return { settings: settings as Settings, waiting };
}
