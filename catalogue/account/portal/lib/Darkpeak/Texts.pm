# A plugin of the portal: gives our pages their texts, in the visitor's language, so that they need no JavaScript.
package Darkpeak::Texts;
use strict;
use warnings;
use JSON::PP;
use Mouse;
use Lemonldap::NG::Portal::Main::Constants qw(
  PE_OK PE_FIRSTACCESS PE_MAILFIRSTACCESS PE_PASSWORDFIRSTACCESS
);
extends 'Lemonldap::NG::Portal::Main::Plugin';

use constant hook => { sendHtml => 'translate' };
use constant FOLDER => '/usr/local/share/account/texts';
my %ours = map { $_ => 1 } qw(login menu mail error totp2fcheck);
my %silent = map { $_ => 1 } PE_OK, PE_FIRSTACCESS, PE_MAILFIRSTACCESS, PE_PASSWORDFIRSTACCESS;

has texts => ( is => 'rw' );

sub init {
    my ($self) = @_;
    my %texts;
    for my $file ( glob FOLDER . '/*.json' ) {
        open my $in, '<:raw', $file or return 0;
        local $/ = undef;
        my ($language) = $file =~ m{([a-z]+)\.json$};
        $texts{$language} = JSON::PP->new->decode(<$in>); # bytes stay bytes, as pages are sent
    }
    $self->texts( \%texts );
    return exists $texts{en};
}

sub translate {
    my ( $self, $req, $template, $args ) = @_;
    my $language = $self->p->getLanguage($req);
    my $texts    = $self->texts->{$language} || $self->texts->{en};
    my $params   = $args->{params} ||= {};
    $params->{"T_\U$_"} = $texts->{$_} for grep { !/^PE/ } keys %$texts;
    my $error = $params->{AUTH_ERROR} || PE_OK;
    $params->{T_ERROR} = $texts->{"PE$error"} || "$texts->{failed} ($error)" unless $silent{$error};
    $params->{T_LANGUAGE} = $language;
    $params->{T_BY_MAIL} = $self->conf->{darkpeakMail} ? 1 : 0;
    $params->{T_SCRIPTS} = !$ours{$$template};
    return PE_OK;
}

1;
