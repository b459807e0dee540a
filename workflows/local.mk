# SPDX-License-Identifier: GPL-3.0-or-later
# The workspaces we ship: `capstan init DIR --from agency` copies one from pkgdatadir/workflows.
nobase_dist_pkgdata_DATA = \
	workflows/agency/agents/billing.yaml \
	workflows/agency/agents/content.yaml \
	workflows/agency/agents/delivery.yaml \
	workflows/agency/agents/intake.yaml \
	workflows/agency/agents/qualification.yaml \
	workflows/agency/capstan.yaml \
	workflows/agency/connectors/billing.yaml \
	workflows/agency/connectors/board.yaml \
	workflows/agency/connectors/crm.yaml \
	workflows/agency/connectors/esign.yaml \
	workflows/agency/connectors/mail.yaml \
	workflows/agency/fixtures/billing-create.yaml \
	workflows/agency/fixtures/board-open.yaml \
	workflows/agency/fixtures/content.yaml \
	workflows/agency/fixtures/crm-find.yaml \
	workflows/agency/fixtures/crm-save.yaml \
	workflows/agency/fixtures/delivery.yaml \
	workflows/agency/fixtures/esign-draft.yaml \
	workflows/agency/fixtures/mail-send.yaml \
	workflows/agency/fixtures/mail-subscribe.yaml \
	workflows/agency/fixtures/qualification.yaml \
	workflows/agency/flows/client-onboarding.yaml \
	workflows/agency/inputs/bluebird.json \
	workflows/agency/inputs/harbour.json \
	workflows/agency/inputs/kestrel.json \
	workflows/agency/inputs/lumen.json \
	workflows/agency/inputs/northwind.json \
	workflows/agency/inputs/oldmill.json \
	workflows/agency/inputs/reader.json \
	workflows/agency/inputs/week.jsonl \
	workflows/agency/policies/checkpoints.yaml \
	workflows/agency/runbooks/invoices.md \
	workflows/agency/runbooks/mail.md \
	workflows/agency/runbooks/proposals.md \
	workflows/agency/scenarios/asked.yaml \
	workflows/agency/scenarios/by-hand.yaml \
	workflows/agency/scenarios/declined.yaml \
	workflows/agency/scenarios/edited.yaml \
	workflows/agency/scenarios/in-doubt.yaml \
	workflows/agency/scenarios/mail-expires.yaml \
	workflows/agency/scenarios/newsletter.yaml \
	workflows/agency/scenarios/onboarded.yaml \
	workflows/agency/scenarios/payment-failed.yaml \
	workflows/agency/scenarios/refusal-withheld.yaml \
	workflows/agency/scenarios/shelved.yaml \
	workflows/agency/scenarios/strategy-call.yaml \
	workflows/agency/scenarios/unanswered.yaml \
	workflows/agency/scenarios/withheld.yaml \
	workflows/agency/tools/plan.sh

EXTRA_DIST += workflows/demo.sh
