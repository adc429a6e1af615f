# A plugin of the portal: a link that lets a member set a password once. Only programs in this container make links: `invite`, for
# an admin, and `send-mails`, for members who have forgotten their password. What strangers ask for is only written down here,
# so that the answer, and how long it takes, are the same for every name.
package Darkpeak::Invitation;
use strict;
use warnings;
use File::Temp ();
use JSON::PP   ();
use Mouse;
use Lemonldap::NG::Portal::Main::Constants qw(
  PE_OK PE_BADMAILTOKEN PE_MAILCONFIRMOK PE_MAILFIRSTACCESS PE_MAILFORMEMPTY PE_TOKENEXPIRED
);
extends 'Lemonldap::NG::Portal::Plugins::MailPasswordReset';

use constant OUTBOX => '/run/account/outbox';
use constant MOST   => 200; # requests that wait: a flood of them is forgotten

sub init {
    my ($self) = @_;
    $self->addUnauthRoute( invite => 'invite', ['POST'] );
    $self->addUnauthRoute( remind => 'remind', ['POST'] );
    return $self->SUPER::init;
}

# Make a link for a member, and end those made before.
sub invite {
    my ( $self, $req ) = @_;
    my $refused = $self->find_member($req);
    return $refused if $refused;
    while ( my $older = $self->getMailSession( $req->{user} ) ) { $older->remove }
    return $self->tell( $req, $self->createMailSession($req) );
}

# Make a link for a member, or use the one that was made before: a stranger who asks for one ends none.
sub remind {
    my ( $self, $req ) = @_;
    my $refused = $self->find_member($req);
    return $refused if $refused;
    return $self->tell( $req, $self->getMailSession( $req->{user} ) || $self->createMailSession($req) );
}

# Find the member in the directory; return the answer if there is none.
sub find_member {
    my ( $self, $req ) = @_;
    return $self->p->sendError( $req, undef, 403 ) unless ( $req->env->{INSIDE} || '' ) eq 'yes';
    my $name = $req->param('member') || '';
    $req->{user} = $name;
    unless ( $name =~ /$self->{conf}->{userControl}/ && $self->searchUser( $req, 1 ) == PE_OK ) {
        return $self->sendJSONresponse( $req, { error => 'there is no such member' }, code => 404 );
    }
    $req->{user} = $req->sessionInfo->{uid};
    return;
}

sub tell {
    my ( $self, $req, $link ) = @_;
    return $self->sendJSONresponse( $req, {
        member  => $req->{user},
        mail    => ( split /;\s*/, $req->sessionInfo->{mail} || '' )[0] || '',
        url     => $self->p->buildUrl( $req->portal, 'resetpwd', { mail_token => $link->id } ),
        expires => $link->data->{mailSessionTimeoutTimestamp},
    } );
}

# A link, or the form of its page, leads on. Else, if this collective sends mails, it is the form for the name.
sub _reset {
    my ( $self, $req ) = @_;
    my $by_link = $req->param('mail_token') || defined $req->param('newpassword');
    return $self->SUPER::_reset($req) if $by_link;
    return PE_BADMAILTOKEN unless $self->conf->{darkpeakMail};
    my $name = $req->param('mail') || '';
    if ( $req->method ne 'POST' || $name eq '' ) {
        $self->setSecurity($req);
        return $req->method eq 'POST' ? PE_MAILFORMEMPTY : PE_MAILFIRSTACCESS;
    }
    unless ( $self->ott->getToken( $req->param('token') || '' ) ) {
        $self->setSecurity($req);
        return PE_TOKENEXPIRED;
    }
    $self->write_down( $name, $self->p->getLanguage($req) ) if $name =~ /$self->{conf}->{userControl}/;
    return PE_MAILCONFIRMOK;
}

sub write_down {
    my ( $self, $name, $language ) = @_;
    my @waiting = glob OUTBOX . '/*.json';
    return if @waiting >= MOST;
    my $file = File::Temp->new( DIR => OUTBOX, UNLINK => 0 );
    print {$file} JSON::PP->new->encode( { member => $name, language => $language } );
    close $file or return;
    rename $file->filename, $file->filename . '.json';
    return;
}

# The new password is not sent to anyone.
sub sendEmail { return 1 }

1;
