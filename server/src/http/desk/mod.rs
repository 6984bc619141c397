//! What people at work ask: cases, households, attachments, warnings, payments.
//!
//! Invariants: who may call a route is said by the rights before it; which cases they reach is
//! said by the store; every read of a person is journalled before it is answered.

mod access;
pub(crate) mod assessment;
pub(crate) mod attachments;
pub(crate) mod authorisations;
pub(crate) mod cases;
pub(crate) mod catalogue;
pub(crate) mod figures;
pub(crate) mod households;
pub(crate) mod life_checks;
pub(crate) mod mine;
pub(crate) mod notices;
mod opening;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::Routes;
use crate::limits::ATTACHMENT_BODY_MAX;

/// The routes of people at work.
pub(super) fn routes() -> Routes {
    let large = || DefaultBodyLimit::max(ATTACHMENT_BODY_MAX);
    vec![
        ("/api/v1/catalogue", get(catalogue::answer)),
        ("/api/v1/forms/{name}", get(catalogue::form)),
        ("/api/v1/assessment", post(assessment::assess)),
        ("/api/v1/assessment/standards", get(assessment::standards)),
        ("/api/v1/cases", get(cases::list).post(cases::open)),
        ("/api/v1/cases/find", post(cases::find)),
        ("/api/v1/cases/{id}", get(cases::show)),
        ("/api/v1/cases/{id}/commands", post(cases::act)),
        ("/api/v1/cases/{id}/reveal", post(cases::reveal)),
        ("/api/v1/cases/{id}/signature", get(authorisations::signature)),
        ("/api/v1/cases/{id}/attachments/{digest}", get(attachments::show)),
        ("/api/v1/attachments", post(attachments::take).layer(large())),
        ("/api/v1/households/find", post(households::find)),
        ("/api/v1/households/{key}", get(households::show)),
        ("/api/v1/households/{key}/chain", get(households::chain)),
        ("/api/v1/mine", get(mine::show)),
        ("/api/v1/authorisations/document", post(authorisations::document)),
        ("/api/v1/authorisations/sign", post(authorisations::sign)),
        ("/api/v1/invitations", post(authorisations::invite)),
        ("/api/v1/invitations/open", post(authorisations::open_invitation)),
        ("/api/v1/life-checks", post(life_checks::issue)),
        ("/api/v1/life-checks/{id}/recording", post(life_checks::record).layer(large())),
        ("/api/v1/payments", get(figures::payments)),
        ("/api/v1/funnel", get(figures::funnel)),
        ("/api/v1/warnings/rules", get(figures::rules)),
        ("/api/v1/notices", get(notices::stream)),
    ]
}
