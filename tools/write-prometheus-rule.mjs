#!/usr/bin/env node
/**
 * Writes deploy/kubernetes/components/monitoring/prometheus-rule.yaml: the alerts of monitoring/alerts.yml, for the Prometheus operator.
 * Kustomize reads no file outside of its folder, so the file is a copy. test/kubernetes.test.ts fails where the two differ.
 *
 *     node tools/write-prometheus-rule.mjs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const alerts = readFileSync(join(root, 'monitoring/alerts.yml'), 'utf8');
const groups = alerts.slice(alerts.search(/^groups:/m)).replaceAll(/^(?=.)/gm, '  ');
const header = `# Made from monitoring/alerts.yml by tools/write-prometheus-rule.mjs: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: landline
spec:
`;
writeFileSync(join(root, 'deploy/kubernetes/components/monitoring/prometheus-rule.yaml'), header + groups);
