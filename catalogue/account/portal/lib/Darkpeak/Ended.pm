# A plugin of the portal for logins that end: the router reads in the answer which ones they are, so that nobody with a token of
# theirs comes in any more; and a member's new password ends their logins elsewhere.
package Darkpeak::Ended;
use strict;
use warnings;
use Mouse;
use Digest::SHA qw(sha256_hex);
use Lemonldap::NG::Portal::Main::Constants qw(PE_OK);
extends 'Lemonldap::NG::Portal::Main::Plugin';

use constant beforeLogout => 'log_out';
use constant hook         => { passwordAfterChange => 'change_password' };

sub init { return 1 }

sub log_out {
    my ( $self, $req ) = @_;
    announce( $req, $req->userData->{_session_id} );
    return PE_OK;
}

# The login with which the password was changed goes on. With a link, there is none.
sub change_password {
    my ( $self, $req ) = @_;
    my $uid   = $req->userData->{uid} || $req->sessionInfo->{uid} or return PE_OK;
    my $login = $req->userData->{_session_id};
    system( 'end-sessions', $uid, $login ? ( '--except', $login ) : () ) == 0
      or $self->logger->error("the other logins of $uid were not ended");
    announce( $req, $uid );
    return PE_OK;
}

# Neither the login's number nor the member's name.
sub announce {
    my ( $req, $what ) = @_;
    push @{ $req->respHeaders }, 'X-Account-Ended' => sha256_hex($what) if $what;
    return;
}

1;
