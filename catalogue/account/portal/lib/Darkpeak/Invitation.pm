# A plugin of the portal: a link that lets a member set a password once. Only `invite`, in this container, makes links.
package Darkpeak::Invitation;
use strict;
use warnings;
use Mouse;
use Lemonldap::NG::Portal::Main::Constants qw(PE_OK PE_BADMAILTOKEN);
extends 'Lemonldap::NG::Portal::Plugins::MailPasswordReset';

sub init {
    my ($self) = @_;
    $self->addUnauthRoute( invite => 'invite', ['POST'] );
    return $self->SUPER::init;
}

# Make a link for a member, and end those made before.
sub invite {
    my ( $self, $req ) = @_;
    return $self->p->sendError( $req, undef, 403 ) unless ( $req->env->{INSIDE} || '' ) eq 'yes';
    my $name = $req->param('member') || '';
    $req->{user} = $name;
    unless ( $name =~ /$self->{conf}->{userControl}/ && $self->searchUser( $req, 1 ) == PE_OK ) {
        return $self->sendJSONresponse( $req, { error => 'there is no such member' }, code => 404 );
    }
    $req->{user} = $req->sessionInfo->{uid};
    while ( my $older = $self->getMailSession( $req->{user} ) ) { $older->remove }
    my $link = $self->createMailSession($req);
    return $self->sendJSONresponse( $req, {
        member  => $req->{user},
        url     => $self->p->buildUrl( $req->portal, 'resetpwd', { mail_token => $link->id } ),
        expires => $link->data->{mailSessionTimeoutTimestamp},
    } );
}

# Only links lead here: nobody can have a mail sent.
sub _reset {
    my ( $self, $req ) = @_;
    return PE_BADMAILTOKEN unless $req->param('mail_token') || $req->param('token');
    return $self->SUPER::_reset($req);
}

# The new password is not sent to anyone.
sub sendEmail { return 1 }

1;
