"""Where each command of the pages is run.

Those of the services' READMEs are run by tests/live/test_own_domain.py as they are, unless they are here. Every other
command must be here: with the test that runs it, or with the reason why no test can. `tests/pages/test_covered.py`
fails for a command that is in no table.
"""

from collections.abc import Mapping

from tests.pages.commands import SERVICES

CHAT, DIRECTORY, DNS, GIT, HOME, ROUTER, HOOKS, WIKI = (
    f"services/{name}/README.md"
    for name in ("chat", "directory", "dns", "git", "home", "router", "router/certificates/hooks", "wiki")
)
ACCOUNT = "catalogue/account/README.md"
MAIL = "catalogue/mail/README.md"
LISTED = "test_up.py::test_what_runs_is_valid_in_both_formats"
BUILT_AGAIN = "test_own_domain.py::test_a_container_is_built_again_for_updates_and_has_a_shell"
HELP = "test_house.py::test_help_begins_with_a_short_sentence_that_no_list_of_commands_cuts"
LOOK = "test_own_domain.py::test_the_commands_of_the_pages_that_only_look"
PROVIDER = "test_mail.py::test_the_login_at_a_mail_provider_is_kept"
QUEUED = "test_mail.py::test_a_mail_is_signed_and_waits_in_a_queue_that_admins_read"
LOCKED = "test_members.py::test_a_locked_member_has_no_access_until_unlocked"
EXPORTED = "test_members.py::test_a_member_takes_their_data_with_them"
COPY = "test_own_page.py::test_a_member_asks_for_a_copy_and_only_she_fetches_it"
FORGOTTEN = "test_members.py::test_a_forgotten_member_is_found_nowhere_that_the_report_does_not_name"
OPENID = "test_account.py::test_a_service_logs_members_in_with_openid_connect_while_the_key_changes"
CHECKED = "test_directory_programs.py::test_right_settings_pass_each_check_from_where_the_container_is"
CLIENT = "test_login.py::test_a_member_logs_in_to_a_program_that_nobody_here_wrote"
REMOTE = "test_remote.py::test_commands_work_on_a_remote_daemon_and_leave_no_files"
LIFE = "test_life.py"
REMOVED = f"{LIFE}::test_a_removed_service_leaves_nothing_behind"
RENAMED = "test_plan.py::test_a_service_moves_and_is_renamed_with_its_data"
TESTED = f"{LIFE}::test_a_sound_service_passes_every_step"
UPGRADED = "test_deploy.py::test_an_upgrade_builds_anew_what_is_out_of_date_and_no_request_fails"
VM = "test_vm.py::test_a_vm_is_made_survives_kills_serves_a_wiki_and_is_destroyed"
COMMAND = "only the name of a command"
ADVICE = "for a fault that a sound machine does not have"
BENCH = "a bench, for people"

# What test_own_domain.py runs instead, because of what it cannot have.
INSTEAD: Mapping[str, Mapping[str, str]] = {
    CHAT: {},
    DNS: {"grep -r DOMAIN /etc": "grep -r DOMAIN /etc || [ $? -eq 1 ]"},  # it finds nothing there
    GIT: {"tar -xf repositories.tar": "tar -xf DIR/repositories.tar -C UNPACKED"},
    ROUTER: {"docker compose logs -f": "docker compose logs"},  # it does not end
}


def moved_and_removed(service: str) -> dict[str, str]:
    """Return the tests of the commands that move or remove a service."""
    return {
        f"darkpeak restore {service}": "test_lost_machine.py::test_everything_is_restored_on_an_empty_engine",
        f"darkpeak remove {service}": REMOVED,
    }


# The tests that run a command in another form.
ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "README.md": {
        "bin/demo": "test_machine.py::test_a_bare_machine_serves_a_wiki_after_one_command",
        "bin/darkpeak roadmap": LOOK,
        "bin/darkpeak lint": LOOK,
        "bin/darkpeak backup wiki --to ./today": REMOTE,
        "darkpeak init village": "test_init.py::test_a_collective_is_made_and_committed_and_sound",
        "darkpeak init --help": HELP,
        "darkpeak up": "test_up.py::test_everything_is_up_and_the_wiki_answers",
        "darkpeak add account": "test_add.py::test_all_services_of_the_catalogue_can_be_added",
        "darkpeak add mail": "test_add.py::test_all_services_of_the_catalogue_can_be_added",
        "darkpeak add wiki": "test_add.py::test_all_services_of_the_catalogue_can_be_added",
        "bin/setup": "test_machine.py::test_a_bare_machine_serves_a_wiki_after_one_command",
        "bin/setup --engine": "test_tutorial.py::test_the_page_works_up_to_an_own_service_on_a_vm",
        "docker compose up -d": "test_up.py::test_plain_compose_sees_no_difference",
        "docker compose up -d --wait --build": "test_contract.py::test_plain_compose_starts_it_healthy",
    },
    ACCOUNT: dict.fromkeys(
        (
            *("docker compose up -d --build", "docker compose up -d --wait", "docker compose logs portal"),
            *("docker compose port portal 80", "docker compose exec portal invite ada"),
            *("docker compose build --no-cache && docker compose up -d", "scripts/backup DIR", "scripts/restore DIR"),
            *("docker compose exec portal rm -r /var/lib/account/replaced",),
            *("scripts/member-gone ada", "scripts/forget-member ada", "docker compose exec portal wishes"),
        ),
        "test_account.py::test_the_commands_of_its_page_run",
    )
    | dict.fromkeys(
        ("docker compose exec portal client list", "docker compose exec portal client remove notes"),
        "test_account.py::test_the_commands_of_its_page_run",
    )
    | {
        "darkpeak member invite ada": "test_account.py::test_an_invitation_sets_a_password_once",
        "docker compose exec portal client add notes https://notes.DOMAIN/callback": OPENID,
        "darkpeak up notes": CLIENT,
        "docker compose exec portal rotate-keys": OPENID,
        "darkpeak add mail": "test_mail.py::village",
        "darkpeak member invite ada --mail": "test_mail.py::test_an_invitation_is_mailed_to_the_member",
        "darkpeak up account": "test_mail.py::village",
        "darkpeak member export ada ./ada --hand-over": COPY,
    },
    MAIL: dict.fromkeys(
        (
            "docker compose exec postfix describe",
            "docker compose up -d --build",
            "docker compose logs postfix",
            "docker compose exec postfix mailq",
            "docker compose exec postfix postqueue -f",
            "docker compose exec postfix postsuper -H ALL",
            "scripts/backup DIR",
            "scripts/restore DIR",
            "docker compose build --no-cache && docker compose up -d",
        ),
        "test_mail.py::test_the_commands_of_its_page_run",
    )
    | {
        "darkpeak mail list": QUEUED,
        "darkpeak mail show ID": QUEUED,
        "darkpeak mail check": QUEUED,
        "docker compose exec postfix postcat -hbq ID": QUEUED,
        "docker compose exec postfix postsuper -d ID": QUEUED,
        "docker compose exec -T postfix set-login NAME <FILE": PROVIDER,
        "darkpeak up mail": "test_mail.py::village",
        "darkpeak restore mail": "test_lost_machine.py::test_everything_is_restored_on_an_empty_engine",
        "darkpeak remove mail": REMOVED,
    },
    "docs/members.md": {
        "darkpeak add account": OPENID,
        "darkpeak up calendar": CLIENT,
        "darkpeak directory check calendar": CHECKED,
        "darkpeak remove calendar": "test_login.py::test_a_service_that_is_removed_is_no_client_any_more",
        "docker compose exec portal client add NAME https://…": OPENID,
        "docker compose exec portal client remove calendar": "test_account.py::test_the_commands_of_its_page_run",
        "darkpeak new calendar --like gate": "test_shapes.py::test_a_shape_works_without_an_edit",
    },
    CHAT: {
        "scripts/export-member ada DIR": EXPORTED,
        "scripts/forget-member ada": FORGOTTEN,
        **moved_and_removed("chat"),
    },
    WIKI: {
        "scripts/export-member ada DIR": EXPORTED,
        "scripts/forget-member ada": FORGOTTEN,
        **moved_and_removed("wiki"),
    },
    DIRECTORY: {
        **moved_and_removed("directory"),
        "scripts/export-member ada DIR": EXPORTED,
        "scripts/forget-member ada": FORGOTTEN,
        "ldappasswd -H ldaps://127.0.0.1:6021 -x -D uid=ada,ou=people,dc=collective -W -S": (
            "test_directory.py::test_a_member_changes_their_own_password"
        ),
    },
    DNS: moved_and_removed("dns")
    | dict.fromkeys(
        ("darkpeak dns setup", "darkpeak dns setup --write", "getent hosts wiki.DOMAIN", "darkpeak dns undo"),
        "test_names.py::test_dig_the_c_library_and_a_browser_find_the_names_and_undo_leaves_every_file_as_it_was",
    ),
    GIT: {
        **moved_and_removed("git"),
        "scripts/export-member ada DIR": EXPORTED,
        "scripts/forget-member ada": FORGOTTEN,
        "darkpeak member ssh-key add ada ada.pub": LOCKED,
        "git clone ssh://git@git.DOMAIN/testing": "test_router_attacks.py::test_ssh_reaches_a_declared_service",
    },
    HOME: {
        **moved_and_removed("home"),
        "darkpeak nightly": "test_backup.py::test_the_nightly_jobs_run_and_each_change_is_notified_once",
    },
    ROUTER: {
        **moved_and_removed("router"),
        "darkpeak up router": "test_up.py::test_everything_is_up_and_the_wiki_answers",
        "git clone ssh://git@git.DOMAIN/bylaws": "test_router_attacks.py::test_ssh_reaches_a_declared_service",
        "ssh -J DOMAIN:7022 git@git.DOMAIN": "test_router_attacks.py::test_ssh_reaches_a_declared_service",
        "ssh -o 'ProxyCommand openssl s_client -quiet -servername %h -connect %h:7022' git@git.DOMAIN": (
            "test_router_attacks.py::test_ssh_reaches_a_declared_service"
        ),
        "docker compose exec certificates renew wiki.DOMAIN": (
            "test_certificates.py::test_the_old_certificate_stays_while_the_ca_refuses"
        ),
    },
    "docs/admins.md": {
        "darkpeak inventory --format cyclonedx >inventory.cdx.json": LISTED,
        "darkpeak why openssl": LISTED,
        "darkpeak inventory wiki --snapshot wiki-17": (
            "test_backup.py::test_a_snapshot_says_what_ran_when_it_was_made"
        ),
        **dict.fromkeys(
            ("darkpeak upgrade --dry-run", "darkpeak upgrade wiki", "darkpeak upgrade --security-only"), UPGRADED
        ),
        **dict.fromkeys(
            (
                "darkpeak member add ada",
                "darkpeak member import members.csv --dry-run",
                "darkpeak member import members.csv",
                "darkpeak member list --format ldif",
            ),
            "test_members.py::test_many_members_are_imported_after_a_look",
        ),
        "darkpeak member export ada ./ada": EXPORTED,
        "darkpeak member forget ada": FORGOTTEN,
        "darkpeak member rename ada ada.king": (
            "test_members.py::test_a_renamed_member_keeps_password_groups_and_keys"
        ),
        "darkpeak restore --all": "test_lost_machine.py::test_everything_is_restored_on_an_empty_engine",
        "darkpeak member remove lena": "test_git.py::test_a_member_who_is_removed_has_no_key",
        "darkpeak group leave admins lena": "test_own_domain.py::test_an_admin_leaves_the_directory",
        "darkpeak down --volumes --yes": "test_own_domain.py::test_without_any_service_and_data_the_engine_is_free",
        "darkpeak key add lena": "test_backup.py::test_a_removed_admin_opens_no_repository",
        "darkpeak key remove lena": "test_backup.py::test_a_removed_admin_opens_no_repository",
        "darkpeak key remove --help": HELP,
        "darkpeak key check": "test_backup.py::test_a_removed_admin_opens_no_repository",
        "darkpeak status": LOOK,
        "darkpeak plan": LOOK,
        "darkpeak backup": "test_backup.py::test_the_nightly_jobs_run_and_each_change_is_notified_once",
        "darkpeak doctor": "test_init.py::test_each_command_of_its_readme_works",
        "docker compose up -d --build": "test_own_domain.py::test_every_command_of_the_services_readmes_runs",
        "docker compose exec webserver sh": BUILT_AGAIN,
        "darkpeak shell wiki": f"{LIFE}::test_a_shell_has_the_terminals_size_and_signals_and_exit_code",
        **dict.fromkeys(
            ("darkpeak domain village.example --dry-run", "darkpeak domain village.example"),
            "test_own_domain.py::test_another_domain_keeps_the_data_and_the_logins",
        ),
        **dict.fromkeys(
            ("docker compose build --no-cache", "docker compose up -d"),
            BUILT_AGAIN,
        ),
    },
    "docs/backup.md": {
        **dict.fromkeys(
            (
                "darkpeak backup init --secret ssh-key=backup-login --secret known-hosts=backup-hosts",
                "darkpeak backup init --secret NAME=FILE",
            ),
            "test_credentials.py::test_each_repository_that_lacks_a_credential_gets_it",
        ),
        "darkpeak restore wiki --to DIR": "test_unpack.py::test_all_that_a_file_system_holds_is_unpacked",
        "darkpeak restore wiki --from DIR": REMOTE,
        "darkpeak restore SERVICE --explain --identity KEY": "test_backup.py::test_a_snapshot_is_restored_by_hand",
        **dict.fromkeys(
            (
                "darkpeak restore calendar",
                "darkpeak restore calendar --to DIR",
                "darkpeak restore calendar --explain",
                "darkpeak restore dates --snapshot calendar-17",
            ),
            "test_snapshots.py::test_a_snapshot_of_a_service_that_is_gone_can_be_named_for_its_new_name",
        ),
        "darkpeak backup init": "test_lost_machine.py::test_everything_is_restored_on_an_empty_engine",
        "darkpeak backup wiki": "test_backup.py::test_members_find_their_content_after_a_restore",
        "darkpeak drill wiki": "test_drill.py::test_drills_of_good_snapshots_pass",
        "darkpeak key add grace": "test_backup.py::test_a_removed_admin_opens_no_repository",
        "darkpeak key remove grace": "test_backup.py::test_a_removed_admin_opens_no_repository",
        "darkpeak backup": "test_faults.py::test_two_backups_at_once_make_two_snapshots",
        "darkpeak restore wiki": "test_backup.py::test_members_find_their_content_after_a_restore",
        "darkpeak restore wiki --snapshot wiki-17": (
            "test_backup.py::test_a_restore_brings_the_snapshot_back_and_saves_the_state_before"
        ),
        "darkpeak restore wiki --as NAME": ("test_backup.py::test_a_copy_runs_beside_the_live_one_until_it_is_removed"),
        "darkpeak restore --all": "test_lost_machine.py::test_everything_is_restored_on_an_empty_engine",
        "darkpeak nightly --uninstall": "test_nightly.py::test_the_crontab_line_is_installed_once_and_uninstalled",
        "darkpeak nightly --install --identity /root/.ssh/id_ed25519": (
            "test_nightly.py::test_the_crontab_line_is_installed_once_and_uninstalled"
        ),
        **dict.fromkeys(
            ("darkpeak key secret notify urls <addresses", "darkpeak key secret notify ping <address"),
            "test_backup.py::test_the_nightly_jobs_run_and_each_change_is_notified_once",
        ),
        **dict.fromkeys(
            ("darkpeak restore wiki --explain", "age -d -i ~/.ssh/id_ed25519 backup-key.age"),
            "test_backup.py::test_a_snapshot_is_restored_by_hand",
        ),
        **dict.fromkeys(
            ("docker compose cp -a CONTAINER:FOLDER/. DIR/NAME", "docker compose cp -a FROM/. TO"),
            "test_album.py::test_files_are_restored_with_only_the_scripts",
        ),
        "darkpeak key secret REPOSITORY NAME <FILE": (
            "test_lost_machine.py::test_everything_is_restored_on_an_empty_engine"
        ),
    },
    "docs/certificates.md": {
        "darkpeak certificates": LOOK,
        "darkpeak certificates --renew wiki.DOMAIN": "test_certificates.py::test_a_revoked_certificate_is_renewed",
        "docker compose exec -T certificates sh -c 'umask 077; cat >/var/lib/certificates/acme/eab'": (
            "test_certificates.py::test_a_ca_that_requires_external_account_binding"
        ),
    },
    "docs/levels.md": dict.fromkeys(
        (
            "darkpeak level",
            "darkpeak level wiki",
            "darkpeak admin check",
            "darkpeak admin list",
            'darkpeak review wiki --note "agreed by the meeting of 3 May"',
            "darkpeak history wiki",
            "darkpeak uptime",
            "darkpeak uptime wiki",
            'darkpeak maintenance wiki on "back at nine"',
            "darkpeak site --to /var/www/html",
        ),
        "test_levels.py::test_real_evidence_brings_a_service_to_live_and_its_age_takes_it_away",
    )
    | dict.fromkeys(
        ("darkpeak add home", "darkpeak up home", "darkpeak site", "darkpeak site --admins --to ./overview"),
        "test_home.py::test_the_pages_answer_at_the_bare_domain_while_other_services_are_stopped",
    )
    | dict.fromkeys(
        (
            'darkpeak announce "We move the wiki" --service wiki --until "2030-01-31 20:00"',
            "darkpeak announce --remove ID",
        ),
        "test_home.py::test_announced_work_is_shown_and_is_no_outage",
    )
    | {
        "darkpeak logs wiki --since 1h": "test_home.py::"
        "test_the_pages_answer_at_the_bare_domain_while_other_services_are_stopped",
    },
    "docs/living.md": {
        "darkpeak shell calendar": f"{LIFE}::test_a_shell_has_the_terminals_size_and_signals_and_exit_code",
        "darkpeak shell calendar database -- df -h": f"{LIFE}::test_a_command_in_a_container_needs_no_terminal",
        "darkpeak logs -f calendar": LOOK,
        "darkpeak test calendar": TESTED,
        "darkpeak rename calendar dates": RENAMED,
        "darkpeak ports --free": "test_commands.py::test_free_blocks_are_shown_one_or_as_many_as_wanted",
        "darkpeak move calendar 6070": RENAMED,
        "darkpeak up calendar": RENAMED,
        "darkpeak backup calendar": "test_backup.py::test_members_find_their_content_after_a_restore",
        "darkpeak remove calendar": REMOVED,
        "darkpeak remove calendar --snapshots": REMOVED,
        "darkpeak restore calendar": REMOVED,
        "darkpeak down calendar --volumes": "test_own_domain.py::test_without_any_service_and_data_the_engine_is_free",
    },
    "docs/service.md": {
        "darkpeak test wiki": TESTED,
        "darkpeak lint wiki": "test_commands.py::test_lint_exits_with_1_if_there_are_findings",
        "darkpeak lint --fix": "test_fix.py::test_missing_lines_are_added_at_the_end_of_the_container",
        "darkpeak rules no-dump": "test_rules.py::test_rules_are_listed_and_explained",
        "darkpeak member remove ada": "test_git.py::test_a_member_who_is_removed_has_no_key",
        "darkpeak new calendar --like web-sqlite": "test_shapes.py::test_a_shape_works_without_an_edit",
        "darkpeak new calendar --like web --from pypi": "test_shapes.py::test_a_shape_works_without_an_edit",
        "darkpeak up calendar": "test_shapes.py::test_a_shape_works_without_an_edit",
        "darkpeak add wiki": "test_add.py::test_all_services_of_the_catalogue_can_be_added",
        "darkpeak diff wiki": "test_diff.py::test_a_change_is_shown_and_taken",
        "darkpeak diff wiki --take": "test_diff.py::test_a_change_is_shown_and_taken",
        **dict.fromkeys(("darkpeak member ssh-key add ada ada.pub", "scripts/member-key add ada"), LOCKED),
        **dict.fromkeys(("darkpeak member export ada ./ada", "scripts/export-member ada ./ada/wiki"), EXPORTED),
        **dict.fromkeys(("darkpeak member forget ada", "scripts/forget-member ada"), FORGOTTEN),
    },
    "docs/hosts.md": {
        "darkpeak move wiki north": "test_move.py::test_what_members_write_during_a_move_is_there_afterwards",
        **dict.fromkeys(
            ("darkpeak move wiki --finish", "darkpeak move wiki north --from-backup"),
            "test_move.py::test_a_killed_host_is_left_with_its_newest_backup_and_gives_up_its_copy",
        ),
        **dict.fromkeys(
            ("darkpeak move wiki OLD",), "test_move.py::test_a_move_that_is_killed_goes_on_or_back_and_nothing_is_lost"
        ),
        **dict.fromkeys(
            (
                "darkpeak host join ssh://root@first --to cluster",
                "darkpeak host join ssh://root@second --to cluster",
                "darkpeak up shop",
            ),
            "test_swarm.py::test_updates_under_load",
        ),
        "darkpeak host leave ssh://root@second": "test_swarm.py::test_a_node_is_killed",
        "darkpeak tunnel server": "test_remote.py::test_a_tunnel_reconnects_after_the_connection_was_lost",
        "darkpeak host prepare ssh://root@server": "test_prepare.py::test_a_bare_server_is_made_ready_once",
        "darkpeak up wiki --host vagrant": VM,
        **dict.fromkeys(
            ("darkpeak vm up", "darkpeak vm send wiki", "darkpeak vm halt", "darkpeak vm destroy"),
            VM,
        ),
        "DOCKER_HOST=tcp://localhost:4243 docker compose up -d": (REMOTE),
        "docker compose -f docker-compose.yml -f docker-compose.vagrant.yml up -d": (
            "test_tutorial.py::test_the_page_works_up_to_an_own_service_on_a_vm"
        ),
    },
}

# The reasons why no test runs a command.
NOT_RUN: Mapping[str, Mapping[str, str]] = {
    "README.md": {
        "bin/test": "it runs this",
        "bin/test tests/live/test_machine.py": "it runs this",
        "cd village": "a folder that the page makes",
        "tar | zstd": "the name of another way",
        **dict.fromkeys(("bench/run bench/rest.py", "bench/run bench/router.py"), BENCH),
        **dict.fromkeys(("bench/run bench/deploy.py", "bench/run bench/backup.py"), BENCH),
        **dict.fromkeys(("bench/run", "bench/run bench/compare.py OLD NEW"), BENCH),
        **dict.fromkeys(("bench/run bench/lint.py", "bench/run bench/site.py", "bench/run bench/hosts.py"), BENCH),
        **dict.fromkeys(("bench/run bench/peers.py", "bench/run bench/updates.py"), BENCH),
    },
    "CONTRIBUTING.md": {
        **dict.fromkeys(("bin/test", "bin/test --unit", "bin/test --long"), "it runs this"),
        "towncrier build": "for a release; it deletes the fragments",
    },
    "tests/live/README.md": {"bin/test tests/live/test_contract.py -k wiki": "it runs this"},
    DNS: {"dig -p 6050": "short for the line above"},
    GIT: {
        "scripts/member-key": COMMAND,
        "git clone --mirror": "an option of git",
        "git fsck": "gitolite's load runs it",
        "ssh -v": ADVICE,
    },
    ROUTER: {
        **dict.fromkeys(("docker image ls", "docker tag"), "the names of docker's commands"),
        "bench/run bench/floods.py": BENCH,
    },
    HOOKS: {"scripts/backup": COMMAND},
    "docs/members.md": dict.fromkeys(("bench/run bench/account.py", "bench/run bench/directory.py"), BENCH),
    "docs/admins.md": {
        "git clone REPOSITORY village": "a placeholder",
        "cd village": "a placeholder",
    },
    "docs/backup.md": {
        'git add backup-key.age && git commit -m "The backup key"': "git's own command",
        "bench/run bench/backup.py": BENCH,
        "rm backup-login": "deletes a file",
        **dict.fromkeys(
            ("ssh-keygen -t ed25519 -N '' -f backup-login", "ssh-keyscan nas.example >backup-hosts"),
            "ssh's own commands, for a machine of somebody's",
        ),
    },
    "docs/living.md": {"git rm -r services/calendar": "git's own command"},
    "docs/hosts.md": {
        "ssh ops@server": "a placeholder",
        "bench/run bench/peers.py": BENCH,
        "darkpeak vm box --vagrant": "needs Vagrant, as the next",
        "vagrant up": "needs Vagrant; test_the_vagrantfile_is_valid reads the file",
    },
    "docs/service.md": dict.fromkeys(
        (
            *(
                f"scripts/{name}"
                for name in (
                    "backup",
                    "export-member",
                    "forget-member",
                    "member-gone",
                    "member-key",
                    "restore",
                    "sample",
                    "verify",
                    "updates",
                )
            ),
            *(f"bin/{name}" for name in ("serve", "health", "keep-checking", "verify")),
        ),
        "a file of a folder",
    ),
}


def is_listed(page: str, command: str) -> bool:
    """Return whether a command is run by another test, or by none for a reason."""
    return any(command in table.get(page, {}) for table in (ELSEWHERE, NOT_RUN))


def run_as_it_is(page: str, command: str) -> bool:
    """Return whether test_own_domain.py runs a command."""
    return page in SERVICES and not is_listed(page, command)
