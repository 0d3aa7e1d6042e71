//! The suite, generic over the backend.

pub(crate) mod credentials;
pub(crate) mod evidence;
pub(crate) mod facade;
pub(crate) mod halts;
pub(crate) mod inventory;
pub(crate) mod outbox;
pub(crate) mod registry;
mod samples;
pub(crate) mod state;

use tokio::sync::watch::Receiver;

/// Every port at once, as `app` uses a store.
pub(crate) trait Store:
    ::registry::port::Registry
    + admin::port::State
    + admin::port::Inventories
    + admin::port::Comments
    + admin::port::Evidence
    + ::watch::port::Halts
    + audit::port::Outbox
    + identity::port::Facade
    + identity::port::Credentials
    + Clone
    + 'static
{
}

impl<S> Store for S where
    S: ::registry::port::Registry
        + admin::port::State
        + admin::port::Inventories
        + admin::port::Comments
        + admin::port::Evidence
        + admin::port::Evidence
        + ::watch::port::Halts
        + audit::port::Outbox
        + identity::port::Facade
        + identity::port::Credentials
        + Clone
        + 'static
{
}

/// Somewhere to keep state.
pub(crate) trait Backend {
    type Store: Store;

    /// A place with nothing in it.
    fn new() -> Self;

    /// Opens the place, as another process would.
    async fn open(&self) -> Self::Store;

    fn revisions(store: &Self::Store) -> Receiver<model::Revision>;
}

/// One test for each function of the suite, on one backend.
macro_rules! suite {
    ($backend:ident) => {
        $crate::cases::suite!($backend, state:
            a_new_store_is_empty_at_revision_zero
            a_plan_is_carried_out_whole_with_one_revision_and_one_outbox_row
            a_plan_that_fails_anywhere_changes_nothing
            a_change_on_top_of_an_old_revision_is_a_conflict_and_changes_nothing
            of_two_writers_at_once_one_wins_and_the_other_learns_of_it
            changes_that_expect_nothing_all_happen
            two_openers_of_one_place_see_each_others_changes
            what_a_killed_process_acknowledged_is_there
            a_revision_is_told_after_it_is_durable
            a_change_whose_maker_goes_away_is_still_told
            nothing_may_name_what_is_not_there
            a_reason_too_long_is_refused
            local_servers_and_endpoints_for_several_are_kept_whole
        );
        $crate::cases::suite!($backend, registry:
            a_server_is_submitted_seen_and_approved
            definitions_that_were_not_seen_are_not_approved
            another_identity_voids_the_pins
            an_observation_of_an_old_identity_is_refused
            the_same_definitions_again_change_no_revision
            suspending_and_resuming_are_durable
            servers_that_did_not_change_are_read_once_and_those_that_did_at_once
            a_server_behind_an_endpoint_cannot_be_removed
            a_server_that_is_not_there_is_not_found
            applying_a_server_again_keeps_or_voids_its_approval_like_submitting_it
            another_command_voids_the_pins_of_a_local_server
            an_end_is_written_down_once_and_is_there_after_opening_again
            each_step_of_a_life_leaves_a_receipt
            a_retired_server_is_in_no_zone_and_is_not_removed
            comments_are_kept_in_order_and_go_with_their_server
        );
        $crate::cases::suite!($backend, halts:
            a_halt_is_there_after_opening_again
            a_scope_is_halted_once_and_the_first_halt_stays
            a_resume_ends_a_halt_and_only_that
            halts_change_no_revision
        );
        $crate::cases::suite!($backend, facade:
            who_leaves_comes_back_once_and_in_time
            a_code_begins_one_family_and_its_replay_ends_that
            of_two_who_come_with_one_code_one_gets_something
            a_code_that_expired_begins_nothing
            a_refresh_token_that_was_used_ends_its_family
            of_two_who_come_with_one_refresh_token_one_gets_something
            families_end_by_person_session_consent_and_time
            a_consent_that_is_withdrawn_ends_what_was_given_for_it
            a_device_hears_once_what_was_decided
            an_assertion_is_spent_once_while_it_is_good
            of_two_who_make_a_signing_key_one_is_kept
            what_opens_something_is_in_no_outbox_row
        );
        $crate::cases::suite!($backend, credentials:
            a_credential_is_kept_for_its_holder_and_the_next_takes_its_place
            a_credential_is_renewed_only_from_the_one_it_was_made_of
            who_connects_and_disconnects_leaves_a_receipt_without_the_secret
        );
        $crate::cases::suite!($backend, inventory:
            a_report_is_kept_and_the_next_of_the_same_person_takes_its_place
            reports_are_read_page_by_page
            a_report_that_nobody_renews_goes_by_time
        );
        $crate::cases::suite!($backend, evidence:
            what_was_seen_of_a_server_is_kept_by_its_kind_and_goes_with_it
        );
        $crate::cases::suite!($backend, outbox:
            each_change_waits_in_order_until_it_is_settled
            a_row_that_was_not_settled_is_there_after_opening_again
            ids_are_never_given_twice
            a_detail_that_would_not_fit_in_a_record_is_counted
            the_outbox_says_who_did_what_to_what_and_why
        );
    };
    ($backend:ident, $module:ident: $($name:ident)+) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    $crate::cases::$module::$name::<super::$backend>().await;
                }
            )+
        }
    };
}
pub(crate) use suite;
