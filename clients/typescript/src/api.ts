// Made by `npm run client` from openapi.json.
export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Public keys of the access tokens (RFC 7517)
         * @description Anyone.
         */
        get: operations["getWellKnownJwksJson"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/activity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many events there were over a time, by outcome: the last 24 hours unless said otherwise
         * @description Roles: auditor.
         */
        get: operations["getAuditActivity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/checkpoint": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The signed head of the log (C2SP tlog-checkpoint), or the newest that a witness has signed too
         * @description Anyone.
         */
        get: operations["getAuditCheckpoint"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search the audit log, newest first; with afterSequence, oldest first
         * @description Roles: auditor.
         */
        get: operations["getAuditEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read an event
         * @description Roles: auditor.
         */
        get: operations["getAuditEventsId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All events of a filter, oldest first, with what it takes to verify them offline; or as CSV
         * @description Roles: auditor.
         */
        get: operations["getAuditExport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/holds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List legal holds
         * @description Roles: auditor.
         */
        get: operations["getAuditHolds"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/holds/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Hold all events about a patient beyond their retention, or change the reason
         * @description Roles: auditor.
         */
        put: operations["putAuditHoldsId"];
        post?: never;
        /**
         * End a hold: what is older than its retention goes when retention is next applied
         * @description Roles: auditor.
         */
        delete: operations["deleteAuditHoldsId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/key": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The key that the log’s checkpoints are verified with (C2SP signed-note)
         * @description Anyone.
         */
        get: operations["getAuditKey"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/patients/{id}/accesses": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Who was at a chart, when and by what right, newest first; patients see it of their own chart
         * @description Roles: auditor, patient.
         */
        get: operations["getAuditPatientsIdAccesses"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/proof/consistency": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * That the log only grew (RFC 6962, 2.1.2)
         * @description Roles: auditor.
         */
        get: operations["getAuditProofConsistency"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/proof/inclusion": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * That an event is in the log (RFC 6962, 2.1.1)
         * @description Roles: auditor.
         */
        get: operations["getAuditProofInclusion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/reviews": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List reviews, newest first: denials of who was signed in, and uses of break-glass
         * @description Roles: auditor.
         */
        get: operations["getAuditReviews"];
        put?: never;
        /**
         * Open a review of an event that no rule opened one of
         * @description Roles: auditor.
         */
        post: operations["postAuditReviews"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/reviews/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a review
         * @description Roles: auditor.
         */
        get: operations["getAuditReviewsId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Decide a review: open ones are justified or escalated, escalated ones justified
         * @description Roles: auditor.
         */
        patch: operations["patchAuditReviewsId"];
        trace?: never;
    };
    "/api/v1/audit/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How the log gets on; null for what can’t be had at the moment
         * @description Roles: auditor.
         */
        get: operations["getAuditStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Events as they are stored (Server-Sent Events), on from a Last-Event-ID
         * @description Roles: auditor.
         */
        get: operations["getAuditStream"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit/tile/{level}/{tile}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A tile of the tree (C2SP tlog-tiles): up to 256 hashes of 32 bytes
         * @description Roles: auditor.
         */
        get: operations["getAuditTileLevelTile*"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/keys/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make the next signing key: published at once, used a little later
         * @description Roles: admin.
         */
        post: operations["postAuthKeysRotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in
         * @description Anyone.
         */
        post: operations["postAuthLogin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign out: end the session of this token
         * @description Whoever is signed in.
         */
        post: operations["postAuthLogout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the own account
         * @description Whoever is signed in.
         */
        get: operations["getAuthMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change the own account
         * @description Whoever is signed in.
         */
        patch: operations["patchAuthMe"];
        trace?: never;
    };
    "/api/v1/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the password; the other sessions end
         * @description Whoever is signed in.
         */
        post: operations["postAuthPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password/forgot": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a mail that lets one choose a new password
         * @description Anyone.
         */
        post: operations["postAuthPasswordForgot"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/password/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Choose a new password by a mailed token; all sessions end
         * @description Anyone.
         */
        post: operations["postAuthPasswordReset"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Trade a refresh token for a new pair
         * @description Anyone.
         */
        post: operations["postAuthRefresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/register": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Register as a patient
         * @description Anyone.
         */
        post: operations["postAuthRegister"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/service-accounts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List service accounts
         * @description Roles: admin.
         */
        get: operations["getAuthServiceAccounts"];
        put?: never;
        /**
         * Make a service account
         * @description Roles: admin.
         */
        post: operations["postAuthServiceAccounts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/service-accounts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Delete a service account; its tokens are dead at once
         * @description Roles: admin.
         */
        delete: operations["deleteAuthServiceAccountsId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/service-accounts/{id}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace the secret of a service account; the old one and its tokens are dead at once
         * @description Roles: admin.
         */
        post: operations["postAuthServiceAccountsIdRotate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the own sessions, the newest first
         * @description Whoever is signed in.
         */
        get: operations["getAuthSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End an own session
         * @description Whoever is signed in.
         */
        delete: operations["deleteAuthSessionsId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * An access token for a service account
         * @description Anyone.
         */
        post: operations["postAuthToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enrol a second factor: it counts once a code of it is confirmed
         * @description Whoever is signed in.
         */
        post: operations["postAuthTotp"];
        /**
         * Remove the second factor; the other sessions end
         * @description Whoever is signed in.
         */
        delete: operations["deleteAuthTotp"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/totp/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm a code of the new second factor: sign-ins need one from now on; the other sessions end
         * @description Whoever is signed in.
         */
        post: operations["postAuthTotpConfirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List accounts; a registrar finds a patient’s by its exact e-mail
         * @description Roles: admin, registrar.
         */
        get: operations["getAuthUsers"];
        put?: never;
        /**
         * Make an account for somebody of the staff
         * @description Roles: admin.
         */
        post: operations["postAuthUsers"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read an account
         * @description Roles: admin.
         */
        get: operations["getAuthUsersId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change name or roles of an account, disable or enable it; other roles and disabling end its sessions
         * @description Roles: admin.
         */
        patch: operations["patchAuthUsersId"];
        trace?: never;
    };
    "/api/v1/auth/users/{id}/patient": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Link a patient’s account to its chart; its sessions end
         * @description Roles: registrar.
         */
        put: operations["putAuthUsersIdPatient"];
        post?: never;
        /**
         * Take the link of a patient’s account to a chart away; its sessions end
         * @description Roles: registrar.
         */
        delete: operations["deleteAuthUsersIdPatient"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/users/{id}/reset-password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a one-time password instead of the one that there is; sessions end
         * @description Roles: admin.
         */
        post: operations["postAuthUsersIdResetPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/users/{id}/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End all sessions of an account
         * @description Roles: admin.
         */
        delete: operations["deleteAuthUsersIdSessions"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth/users/{id}/totp": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove the second factor of an account, for somebody who lost it; its sessions end
         * @description Roles: admin.
         */
        delete: operations["deleteAuthUsersIdTotp"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List charts by name
         * @description Roles: clinician, nurse, registrar.
         */
        get: operations["getPatients"];
        put?: never;
        /**
         * Create a chart, unless there is one that is almost certainly the same person’s
         * @description Roles: clinician, nurse, registrar.
         */
        post: operations["postPatients"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a chart
         * @description Roles: clinician, nurse, registrar, patient.
         */
        get: operations["getPatientsId"];
        /**
         * Replace a chart
         * @description Roles: clinician, nurse, registrar.
         */
        put: operations["putPatientsId"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change parts of a chart (JSON Merge Patch)
         * @description Roles: clinician, nurse, registrar.
         */
        patch: operations["patchPatientsId"];
        trace?: never;
    };
    "/api/v1/patients/{id}/allergies": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the allergies of a chart
         * @description Roles: clinician, nurse, patient.
         */
        get: operations["getPatientsIdAllergies"];
        put?: never;
        /**
         * Record one of the allergies of a chart
         * @description Roles: clinician, nurse.
         */
        post: operations["postPatientsIdAllergies"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/allergies/{itemId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Replace one of the allergies of a chart; what it was is kept
         * @description Roles: clinician, nurse.
         */
        put: operations["putPatientsIdAllergiesItemId"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/break-glass": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Break the glass of a restricted chart, to read and treat
         * @description Roles: clinician.
         */
        post: operations["postPatientsIdBreakGlass"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/care-team": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the care team of a chart
         * @description Roles: clinician, registrar.
         */
        get: operations["getPatientsIdCareTeam"];
        put?: never;
        /**
         * Assign somebody else to the care team of a chart
         * @description Roles: clinician, registrar.
         */
        post: operations["postPatientsIdCareTeam"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/care-team/{memberId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Remove somebody from the care team of a chart, at once
         * @description Roles: clinician, registrar.
         */
        delete: operations["deletePatientsIdCareTeamMemberId"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/conditions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the conditions of a chart
         * @description Roles: clinician, nurse, patient.
         */
        get: operations["getPatientsIdConditions"];
        put?: never;
        /**
         * Record one of the conditions of a chart
         * @description Roles: clinician, nurse.
         */
        post: operations["postPatientsIdConditions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/conditions/{itemId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Replace one of the conditions of a chart; what it was is kept
         * @description Roles: clinician, nurse.
         */
        put: operations["putPatientsIdConditionsItemId"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the versions of a chart, newest first
         * @description Roles: clinician, nurse, registrar, patient.
         */
        get: operations["getPatientsIdHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/history/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a chart as it was
         * @description Roles: clinician, nurse, registrar, patient.
         */
        get: operations["getPatientsIdHistoryVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/history/{version}/diff": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Compare two versions of a chart
         * @description Roles: clinician, nurse, registrar, patient.
         */
        get: operations["getPatientsIdHistoryVersionDiff"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/merge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Merge another chart of the same person into this one
         * @description Roles: registrar.
         */
        post: operations["postPatientsIdMerge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Bring a voided chart back
         * @description Roles: clinician.
         */
        post: operations["postPatientsIdRestore"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/unmerge": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Undo the last merge into this chart, exactly, unless either chart was changed since
         * @description Roles: registrar.
         */
        post: operations["postPatientsIdUnmerge"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/{id}/void": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a chart out of use
         * @description Roles: clinician.
         */
        post: operations["postPatientsIdVoid"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/break-glass/{grantId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read who broke the glass of which chart, and why
         * @description Roles: auditor.
         */
        get: operations["getPatientsBreakGlassGrantId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export charts: those of the own care teams with allergies and conditions, or the demographics of all
         * @description Roles: clinician, registrar.
         */
        get: operations["getPatientsExport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Import charts, allergies and conditions: NDJSON (charts, or FHIR R4 resources) or Synthea’s CSV
         * @description Roles: registrar.
         */
        post: operations["postPatientsImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/match": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find charts that may be the same person’s, graded, each with its reasons
         * @description Roles: registrar.
         */
        post: operations["postPatientsMatch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/patients/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find charts by name, MRN, date of birth, phone or an identifier
         * @description Roles: clinician, nurse, registrar.
         */
        post: operations["postPatientsSearch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The audit console: a page to sign in to as an auditor
         * @description Anyone.
         */
        get: operations["getConsole"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/assets/{name}.css": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the console’s page loads: css
         * @description Anyone.
         */
        get: operations["getConsoleAssetsNameCss"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console/assets/{name}.js": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the console’s page loads: js
         * @description Anyone.
         */
        get: operations["getConsoleAssetsNameJs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/AllergyIntolerance": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find what a chart has of the kind allergy
         * @description Roles: clinician, nurse, patient.
         */
        get: operations["getFhirR4AllergyIntolerance"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/AllergyIntolerance/_search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find what a chart has of the kind allergy
         * @description Roles: clinician, nurse, patient.
         */
        post: operations["postFhirR4AllergyIntolerance_search"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/AllergyIntolerance/{itemId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read something of the kind allergy
         * @description Roles: clinician, nurse, patient.
         */
        get: operations["getFhirR4AllergyIntoleranceItemId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/AuditEvent": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search the audit log, newest first
         * @description Roles: auditor.
         */
        get: operations["getFhirR4AuditEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/AuditEvent/_search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Search the audit log, newest first
         * @description Roles: auditor.
         */
        post: operations["postFhirR4AuditEvent_search"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/AuditEvent/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read an event
         * @description Roles: auditor.
         */
        get: operations["getFhirR4AuditEventId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/Condition": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find what a chart has of the kind condition
         * @description Roles: clinician, nurse, patient.
         */
        get: operations["getFhirR4Condition"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/Condition/_search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find what a chart has of the kind condition
         * @description Roles: clinician, nurse, patient.
         */
        post: operations["postFhirR4Condition_search"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/Condition/{itemId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read something of the kind condition
         * @description Roles: clinician, nurse, patient.
         */
        get: operations["getFhirR4ConditionItemId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/metadata": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What there is
         * @description Anyone.
         */
        get: operations["getFhirR4Metadata"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/Patient": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Find charts
         * @description Roles: clinician, nurse, registrar.
         */
        get: operations["getFhirR4Patient"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/Patient/_search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Find charts
         * @description Roles: clinician, nurse, registrar.
         */
        post: operations["postFhirR4Patient_search"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/Patient/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a chart
         * @description Roles: clinician, nurse, registrar, patient.
         */
        get: operations["getFhirR4PatientId"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/fhir/R4/Patient/{id}/_history/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a chart as it was
         * @description Roles: clinician, nurse, registrar, patient.
         */
        get: operations["getFhirR4PatientId_historyVersion"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * State of the platform
         * @description Anyone.
         */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Access: {
            /** @enum {string} */
            action: "C" | "R" | "U" | "D" | "E";
            actor: {
                /** @description For a patient null where it is another one */
                id: string | null;
                /** @description Of staff */
                name: string | null;
                roles: string[];
            };
            /** @description By what right */
            basis: string | null;
            breakGlass: {
                /** Format: uuid */
                grantId: string;
            } | null;
            /** @description Names of fields */
            changed: string[];
            count: number;
            /** Format: uuid */
            eventId: string;
            /** @description Null for a patient */
            ip: string | null;
            /** Format: date-time */
            occurredAt: string;
            /** @enum {string} */
            outcome: "success" | "denied" | "failure";
            sequence: number;
            type: string;
        };
        Activity: {
            buckets: {
                denied: number;
                failure: number;
                /** Format: date-time */
                start: string;
                success: number;
            }[];
            bucketSeconds: number;
        };
        Address: {
            /** @default null */
            city: string | null;
            /** @default null */
            country: string | null;
            /** @default [] */
            line: string[];
            /** @default null */
            postalCode: string | null;
            /** @default null */
            state: string | null;
        };
        AuditEvent: {
            action: string;
            actor: {
                id: string | null;
                name: string | null;
                roles: string[];
                sessionId: string | null;
            };
            basis: string | null;
            breakGlass: {
                /** Format: uuid */
                grantId: string;
            } | null;
            changed: string[];
            code: string | null;
            count: number;
            /** Format: uuid */
            id: string;
            /**
             * Format: base64
             * @description RFC 6962 hash of all but this member, in RFC 8785 form
             */
            leafHash: string;
            /** Format: date-time */
            occurredAt: string;
            outcome: string;
            patientIds: string[];
            request: {
                id: string;
                ip: string;
                method: string;
                path: string;
                route: string;
                status: number;
                userAgent: string | null;
            };
            resource: {
                id: string;
                type: string;
            } | null;
            /** @description Order of storage, without gaps */
            sequence: number;
            service: string;
            /** Format: date-time */
            storedAt: string;
            threats?: string[];
            type: string;
            /** @enum {number} */
            v: 1;
        };
        CareTeamMember: {
            /** Format: date-time */
            addedAt: string;
            /** Format: uuid */
            addedBy: string;
            /** @description The first day, in UTC; today unless said otherwise */
            from?: string;
            /** Format: uuid */
            id: string;
            /** @description What they are to the patient, in words */
            role: string;
            /**
             * @description The last day; null while it is open
             * @default null
             */
            to: string | null;
            /** Format: uuid */
            userId: string;
        };
        ClinicalItem: {
            code: components["schemas"]["Code"];
            /** Format: date-time */
            createdAt: string;
            /** Format: uuid */
            id: string;
            /**
             * @description When it began
             * @default null
             */
            onset: string | null;
            /**
             * Format: uuid
             * @description The user who recorded this version
             */
            recordedBy: string;
            /**
             * @description When it ended
             * @default null
             */
            resolved: string | null;
            /** Format: date-time */
            updatedAt: string;
            version: number;
        };
        Code: {
            code: string;
            /** @description The term in words */
            display: string;
            /**
             * @description The code system; SNOMED CT unless said otherwise
             * @default http://snomed.info/sct
             */
            system: string;
        };
        Contact: {
            name: components["schemas"]["HumanName"];
            /** @default null */
            relationship: string | null;
            /** @default [] */
            telecom: components["schemas"]["Telecom"][];
        };
        FoundPatient: components["schemas"]["Patient"] | {
            /** Format: uuid */
            id: string;
            mrn: string;
            /** @enum {boolean} */
            restricted: true;
        };
        HistoryEntry: {
            /** Format: date-time */
            at: string;
            /** @description Who made it; null where that was before history was kept */
            by: {
                /** Format: uuid */
                id: string;
                name: string;
            } | null;
            /** @enum {string} */
            change: "created" | "updated" | "voided" | "restored" | "merged" | "unmerged";
            /** @description The fields that differ from the version before */
            changed: string[];
            /** @description Of voiding and restoring */
            reason: string | null;
            version: number;
        };
        Hold: {
            /** Format: date-time */
            createdAt: string;
            heldBy: {
                id: string;
                name: string | null;
            };
            /** Format: uuid */
            patientId: string;
            reason: string;
        };
        HumanName: {
            family: string;
            given: string[];
            /** @default null */
            prefix: string | null;
            /** @default null */
            suffix: string | null;
        };
        Identifier: {
            system: string;
            /** @description Of ssn, driving-licence and passport `***` and the end to whom may not see them; sent back as it was shown it stays */
            value: string;
        };
        LogStatus: {
            checkpoint: {
                size: number | null;
                /** Format: date-time */
                storedAt: string | null;
            };
            /** @description Messages that are no events */
            deadLetters: number | null;
            /** @description From occurring to being stored: the median of the last hundred events */
            ingestLagMs: number | null;
            outbox: {
                oldestSeconds: number | null;
                /** @description Events of this service that wait to be published, counted up to 100000 */
                rows: number | null;
            };
            /**
             * Format: date-time
             * @description When events can be stored no more unless further partitions are made
             */
            partitionsUntil: string | null;
            /** @description Events that were stored within the last minute */
            perMinute: number | null;
            /** @description Messages that wait to be stored */
            queued: number | null;
            /** @description Events in the log */
            size: number | null;
            /**
             * Format: date-time
             * @description Of the last event
             */
            storedAt: string | null;
            verification: {
                /** Format: date-time */
                completedAt: string | null;
                problems: string[];
                size: number | null;
                /** @enum {string} */
                state: "verifying" | "verified" | "failed";
            };
            /** @description The newest checkpoint that it signed */
            witness: {
                size: number | null;
            } | null;
        };
        NewAddress: {
            /** @default null */
            city?: string | null;
            /** @default null */
            country?: string | null;
            /** @default [] */
            line?: string[];
            /** @default null */
            postalCode?: string | null;
            /** @default null */
            state?: string | null;
        };
        NewClinicalItem: {
            code: components["schemas"]["NewCode"];
            /**
             * @description When it began
             * @default null
             */
            onset?: string | null;
            /**
             * @description When it ended
             * @default null
             */
            resolved?: string | null;
        };
        NewCode: {
            code: string;
            /** @description The term in words */
            display: string;
            /**
             * @description The code system; SNOMED CT unless said otherwise
             * @default http://snomed.info/sct
             */
            system?: string;
        };
        NewContact: {
            name: components["schemas"]["NewHumanName"];
            /** @default null */
            relationship?: string | null;
            /** @default [] */
            telecom?: components["schemas"]["NewTelecom"][];
        };
        NewHumanName: {
            family: string;
            given: string[];
            /** @default null */
            prefix?: string | null;
            /** @default null */
            suffix?: string | null;
        };
        NewOtherName: {
            /** @default null */
            family?: string | null;
            /** @default [] */
            given?: string[];
            /** @enum {string} */
            use: "usual" | "official" | "temp" | "nickname" | "anonymous" | "old" | "maiden";
        };
        NewPatient: {
            /** @default [] */
            addresses?: components["schemas"]["NewAddress"][];
            birthDate: string;
            /** @default [] */
            contacts?: components["schemas"]["NewContact"][];
            /** @default null */
            deathDate?: string | null;
            /** @default null */
            ethnicity?: string | null;
            /** @default [] */
            identifiers?: components["schemas"]["Identifier"][];
            /** @default null */
            language?: string | null;
            /** @default null */
            maritalStatus?: string | null;
            name: components["schemas"]["NewHumanName"];
            /** @default [] */
            otherNames?: components["schemas"]["NewOtherName"][];
            /** @default null */
            race?: string | null;
            /** @description Whether its care team alone opens it, others by break-glass */
            restricted?: boolean;
            /** @enum {string} */
            sex: "male" | "female" | "other" | "unknown";
            /** @enum {string} */
            status?: "active" | "inactive" | "deceased";
            /** @default [] */
            telecom?: components["schemas"]["NewTelecom"][];
        };
        NewTelecom: {
            /** @enum {string} */
            system: "phone" | "email";
            /**
             * @default null
             * @enum {string|null}
             */
            use?: "home" | "work" | "mobile" | null;
            value: string;
        };
        /** @description FHIR R4 OperationOutcome: an issue, or one for each broken rule */
        OperationOutcome: {
            issue: {
                /** @description FHIR’s, of the value set issue-type */
                code: string;
                /** @description `coding` has the code, as a problem would */
                details?: Record<string, never>;
                /** @description The id of the request */
                diagnostics?: string;
                /** @description The field */
                expression?: string[];
                /** @enum {string} */
                severity: "fatal" | "error";
            }[];
            /** @constant */
            resourceType: "OperationOutcome";
        };
        OtherName: {
            /** @default null */
            family: string | null;
            /** @default [] */
            given: string[];
            /** @enum {string} */
            use: "usual" | "official" | "temp" | "nickname" | "anonymous" | "old" | "maiden";
        };
        Patient: {
            /** @default [] */
            addresses: components["schemas"]["Address"][];
            birthDate: string;
            /** @default [] */
            contacts: components["schemas"]["Contact"][];
            /** Format: date-time */
            createdAt: string;
            /** @default null */
            deathDate: string | null;
            /** @default null */
            ethnicity: string | null;
            /** Format: uuid */
            id: string;
            /** @default [] */
            identifiers: components["schemas"]["Identifier"][];
            /** @default null */
            language: string | null;
            /** @default null */
            maritalStatus: string | null;
            /**
             * Format: uuid
             * @description Of a merged chart: the one that it is part of now, which may be merged itself
             */
            mergedInto?: string;
            mrn: string;
            name: components["schemas"]["HumanName"];
            /** @default [] */
            otherNames: components["schemas"]["OtherName"][];
            /** @default null */
            race: string | null;
            restricted: boolean;
            /** @enum {string} */
            sex: "male" | "female" | "other" | "unknown";
            /** @enum {string} */
            status: "active" | "inactive" | "deceased" | "voided" | "merged";
            /** @default [] */
            telecom: components["schemas"]["Telecom"][];
            /** Format: date-time */
            updatedAt: string;
            version: number;
        };
        /** @description RFC 9457 problem details */
        Problem: {
            /** @description Of `possible_duplicate`: the charts that look the same, as POST /patients/match shows them */
            candidates?: {
                grade: string;
                id: string;
                reasons: Record<string, never>[];
                score: number;
            }[];
            /** @enum {string} */
            code: "bad_request" | "unauthorized" | "totp_required" | "forbidden" | "restricted" | "password_change_required" | "sign_in_again" | "totp_enrolment_required" | "not_found" | "method_not_allowed" | "not_acceptable" | "request_timeout" | "conflict" | "already_exists" | "possible_duplicate" | "gone" | "stale" | "too_large" | "uri_too_long" | "unsupported_media_type" | "validation_failed" | "precondition_required" | "headers_too_large" | "rate_limited" | "database_error" | "internal_error" | "bad_gateway" | "audit_unavailable" | "unavailable" | "gateway_timeout";
            detail: string;
            errors?: {
                message: string;
                path: string;
            }[];
            requestId: string;
            status: number;
            title: string;
            /** @description Resolves to the page that lists every code */
            type: string;
        };
        Proof: {
            hashes: string[];
            treeSize: number;
        };
        Review: {
            actor: {
                id: string | null;
                name: string | null;
                roles: string[];
            };
            code: string | null;
            /** @description How many it stands for */
            count: number;
            /** Format: date-time */
            createdAt: string;
            /**
             * Format: uuid
             * @description The event that opened it
             */
            eventId: string;
            /** Format: uuid */
            id: string;
            /** @enum {string} */
            kind: "denial" | "break-glass" | "manual";
            /**
             * Format: uuid
             * @description The last event that was counted
             */
            lastEventId: string;
            note: string | null;
            /** @description Up to 200 */
            patientIds: string[];
            reviewedBy: {
                id: string;
                name: string;
            } | null;
            route: string;
            /** @description Of the event that opened it */
            sequence: number;
            /** @enum {string} */
            state: "open" | "justified" | "escalated";
            /** Format: date-time */
            updatedAt: string;
            version: number;
        };
        ServiceAccount: {
            /** Format: date-time */
            createdAt: string;
            /** Format: uuid */
            id: string;
            name: string;
            roles: string[];
            /**
             * Format: date-time
             * @description When its secret was made
             */
            rotatedAt: string;
        };
        Session: {
            /** Format: date-time */
            createdAt: string;
            /** @description Whether it is the one of this token */
            current: boolean;
            /**
             * Format: date-time
             * @description However much it is used
             */
            expiresAt: string;
            /** Format: uuid */
            id: string;
            /** @description Where it was started from */
            ip: string | null;
            /**
             * Format: date-time
             * @description When it was started or last refreshed
             */
            lastUsedAt: string;
            userAgent: string | null;
        };
        Telecom: {
            /** @enum {string} */
            system: "phone" | "email";
            /**
             * @default null
             * @enum {string|null}
             */
            use: "home" | "work" | "mobile" | null;
            value: string;
        };
        Tokens: {
            accessToken: string;
            /** @description Seconds */
            expiresIn: number;
            /** @description True after a one-time password: the token is good for POST /auth/password alone */
            mustChangePassword?: boolean;
            /** @description True where a role must have a second factor: the token is good for POST /auth/totp and /auth/totp/confirm alone */
            mustEnrolTotp?: boolean;
            /** @description Absent where something must be done first */
            refreshToken?: string;
            /** @enum {string} */
            tokenType: "Bearer";
        };
        User: {
            /** Format: date-time */
            createdAt: string;
            disabled: boolean;
            /** Format: email */
            email: string;
            fullName: string;
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            patientId: string | null;
            roles: ("admin" | "clinician" | "nurse" | "registrar" | "auditor" | "patient")[];
            totpEnabled: boolean;
        };
    };
    responses: {
        /** @description `bad_request`: The request line, a header or the body is malformed. */
        "400.bad_request": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unauthorized`: There is no access token, or it is expired, revoked or not valid. */
        "401.unauthorized": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `unauthorized`: There is no access token, or it is expired, revoked or not valid.
         *
         *     `totp_required`: The password is right, and the account has a second factor: send `totp`.
         */
        "401.unauthorized.totp_required": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `forbidden`: The roles of the signed-in user do not allow this.
         *
         *     `restricted`: Only its care team may open it, others by break-glass.
         *
         *     `password_change_required`: The token came from a one-time password and is good for POST /auth/password alone.
         *
         *     `totp_enrolment_required`: A role of the account must have one: the token is good for POST /auth/totp and /auth/totp/confirm alone.
         */
        "403.forbidden.restricted.password_change_required.totp_enrolment_required": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `password_change_required`: The token came from a one-time password and is good for POST /auth/password alone. */
        "403.password_change_required": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `password_change_required`: The token came from a one-time password and is good for POST /auth/password alone.
         *
         *     `totp_enrolment_required`: A role of the account must have one: the token is good for POST /auth/totp and /auth/totp/confirm alone.
         */
        "403.password_change_required.totp_enrolment_required": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `password_change_required`: The token came from a one-time password and is good for POST /auth/password alone.
         *
         *     `totp_enrolment_required`: A role of the account must have one: the token is good for POST /auth/totp and /auth/totp/confirm alone.
         *
         *     `forbidden`: The roles of the signed-in user do not allow this.
         */
        "403.password_change_required.totp_enrolment_required.forbidden": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `sign_in_again`: This is open for fifteen minutes after a login: a token alone, which may be stolen, is not enough.
         *
         *     `password_change_required`: The token came from a one-time password and is good for POST /auth/password alone.
         */
        "403.sign_in_again.password_change_required": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `sign_in_again`: This is open for fifteen minutes after a login: a token alone, which may be stolen, is not enough.
         *
         *     `password_change_required`: The token came from a one-time password and is good for POST /auth/password alone.
         *
         *     `totp_enrolment_required`: A role of the account must have one: the token is good for POST /auth/totp and /auth/totp/confirm alone.
         */
        "403.sign_in_again.password_change_required.totp_enrolment_required": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `totp_enrolment_required`: A role of the account must have one: the token is good for POST /auth/totp and /auth/totp/confirm alone. */
        "403.totp_enrolment_required": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `not_found`: There is no such resource. */
        "404.not_found": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `request_timeout`: Headers must have come within 10 seconds, all of it within 30. */
        "408.request_timeout": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `already_exists`: `Location` names the resource that has this key, to whom may know of it. */
        "409.already_exists": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `already_exists`: `Location` names the resource that has this key, to whom may know of it.
         *
         *     `possible_duplicate`: `candidates` lists the charts that you may read and that are almost certainly the same person’s; `?force=true` creates it all the same.
         */
        "409.already_exists.possible_duplicate": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `conflict`: The request contradicts the state of the resource. */
        "409.conflict": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `gone`: A chart that was voided, and can be restored, or merged into the one that `Location` names; or an event whose retention has ended. */
        "410.gone": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `stale`: `If-Match` names another version than the current one: read it again. */
        "412.stale": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `too_large`: The body is larger than this route takes. */
        "413.too_large": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `uri_too_long`: Path and query string may have 8192 characters at most. */
        "414.uri_too_long": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unsupported_media_type`: Send the body as application/json. */
        "415.unsupported_media_type": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `validation_failed`: `errors` has an entry for each broken rule, with the path of the field. */
        "422.validation_failed": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `precondition_required`: Send the `ETag` that you read as `If-Match`. */
        "428.precondition_required": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `rate_limited`: Wait as many seconds as `Retry-After` says. */
        "429.rate_limited": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `headers_too_large`: All headers together may have 16 kB at most. */
        "431.headers_too_large": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `internal_error`: Something unforeseen went wrong. The log has the details under the request id.
         *
         *     `database_error`: The database refused the statement. The log has the details under the request id.
         */
        "500.internal_error.database_error": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `bad_gateway`: The service broke the connection before it answered. */
        "502.bad_gateway": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /**
         * @description `unavailable`: A part that the request needs is away for the moment. Try again.
         *
         *     `audit_unavailable`: The access could not be recorded, so it was not granted. Try again.
         */
        "503.unavailable.audit_unavailable": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `gateway_timeout`: The service did not answer in time. */
        "504.gateway_timeout": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `bad_request`: The request line, a header or the body is malformed. */
        "fhir.400.bad_request": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `unauthorized`: There is no access token, or it is expired, revoked or not valid. */
        "fhir.401.unauthorized": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /**
         * @description `forbidden`: The roles of the signed-in user do not allow this.
         *
         *     `restricted`: Only its care team may open it, others by break-glass.
         *
         *     `password_change_required`: The token came from a one-time password and is good for POST /auth/password alone.
         *
         *     `totp_enrolment_required`: A role of the account must have one: the token is good for POST /auth/totp and /auth/totp/confirm alone.
         */
        "fhir.403.forbidden.restricted.password_change_required.totp_enrolment_required": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /**
         * @description `password_change_required`: The token came from a one-time password and is good for POST /auth/password alone.
         *
         *     `totp_enrolment_required`: A role of the account must have one: the token is good for POST /auth/totp and /auth/totp/confirm alone.
         *
         *     `forbidden`: The roles of the signed-in user do not allow this.
         */
        "fhir.403.password_change_required.totp_enrolment_required.forbidden": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `not_found`: There is no such resource. */
        "fhir.404.not_found": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `not_acceptable`: Answers are FHIR R4 as JSON, `application/fhir+json`: no other format or version can be had. */
        "fhir.406.not_acceptable": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `request_timeout`: Headers must have come within 10 seconds, all of it within 30. */
        "fhir.408.request_timeout": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `gone`: A chart that was voided, and can be restored, or merged into the one that `Location` names; or an event whose retention has ended. */
        "fhir.410.gone": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `too_large`: The body is larger than this route takes. */
        "fhir.413.too_large": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `uri_too_long`: Path and query string may have 8192 characters at most. */
        "fhir.414.uri_too_long": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `unsupported_media_type`: Send the body as application/json. */
        "fhir.415.unsupported_media_type": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `validation_failed`: `errors` has an entry for each broken rule, with the path of the field. */
        "fhir.422.validation_failed": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `rate_limited`: Wait as many seconds as `Retry-After` says. */
        "fhir.429.rate_limited": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `headers_too_large`: All headers together may have 16 kB at most. */
        "fhir.431.headers_too_large": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /**
         * @description `internal_error`: Something unforeseen went wrong. The log has the details under the request id.
         *
         *     `database_error`: The database refused the statement. The log has the details under the request id.
         */
        "fhir.500.internal_error.database_error": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `bad_gateway`: The service broke the connection before it answered. */
        "fhir.502.bad_gateway": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /**
         * @description `unavailable`: A part that the request needs is away for the moment. Try again.
         *
         *     `audit_unavailable`: The access could not be recorded, so it was not granted. Try again.
         */
        "fhir.503.unavailable.audit_unavailable": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
        /** @description `gateway_timeout`: The service did not answer in time. */
        "fhir.504.gateway_timeout": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/fhir+json": components["schemas"]["OperationOutcome"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getWellKnownJwksJson: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys; none with HS256 */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        keys: Record<string, never>[];
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditActivity: {
        parameters: {
            query?: {
                /** @description Create, read, update, delete, execute */
                action?: "C" | "R" | "U" | "D" | "E";
                /** @description Who did it */
                actorId?: string;
                /** @description Occurred at or after */
                from?: string;
                ip?: string;
                method?: string;
                outcome?: "success" | "denied" | "failure";
                /** @description The whole path, without the query string */
                path?: string;
                /** @description Whose chart it was */
                patientId?: string;
                requestId?: string;
                /** @description Occurred before */
                to?: string;
                type?: "auth.user.created" | "auth.user.read" | "auth.user.updated" | "auth.session.started" | "auth.session.refreshed" | "auth.session.read" | "auth.session.ended" | "auth.session.failed" | "auth.password.updated" | "auth.password.requested" | "auth.password.reset" | "auth.password.failed" | "auth.totp.created" | "auth.totp.updated" | "auth.totp.deleted" | "auth.key.created" | "auth.key.deleted" | "auth.service-account.created" | "auth.service-account.read" | "auth.service-account.updated" | "auth.service-account.deleted" | "auth.request.refused" | "patients.patient.created" | "patients.patient.read" | "patients.patient.updated" | "patients.patient.voided" | "patients.patient.restored" | "patients.patient.merged" | "patients.patient.unmerged" | "patients.allergy.created" | "patients.allergy.read" | "patients.allergy.updated" | "patients.condition.created" | "patients.condition.read" | "patients.condition.updated" | "patients.care-team.created" | "patients.care-team.read" | "patients.care-team.deleted" | "patients.break-glass.created" | "patients.break-glass.read" | "patients.search.read" | "patients.match.read" | "patients.import.started" | "patients.import.read" | "patients.import.ended" | "patients.export.started" | "patients.export.read" | "patients.request.refused" | "audit.event.read" | "audit.proof.read" | "audit.export.read" | "audit.stream.read" | "audit.access.read" | "audit.activity.read" | "audit.review.created" | "audit.review.read" | "audit.review.updated" | "audit.hold.created" | "audit.hold.read" | "audit.hold.deleted" | "audit.retention.applied" | "audit.verification.failed" | "audit.log.created" | "audit.request.refused" | "gateway.request.denied";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Up to 200 buckets of equal length (a few more where `from` lies within one), without a gap */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Activity"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditCheckpoint: {
        parameters: {
            query?: {
                witnessed?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A signed note */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain; charset=utf-8": string;
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditEvents: {
        parameters: {
            query?: {
                /** @description Create, read, update, delete, execute */
                action?: "C" | "R" | "U" | "D" | "E";
                /** @description Who did it */
                actorId?: string;
                /** @description Events after this one, oldest first */
                afterSequence?: number;
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Occurred at or after */
                from?: string;
                ip?: string;
                /** @description Items a page */
                limit?: number;
                method?: string;
                outcome?: "success" | "denied" | "failure";
                /** @description The whole path, without the query string */
                path?: string;
                /** @description Whose chart it was */
                patientId?: string;
                requestId?: string;
                /** @description Occurred before */
                to?: string;
                type?: "auth.user.created" | "auth.user.read" | "auth.user.updated" | "auth.session.started" | "auth.session.refreshed" | "auth.session.read" | "auth.session.ended" | "auth.session.failed" | "auth.password.updated" | "auth.password.requested" | "auth.password.reset" | "auth.password.failed" | "auth.totp.created" | "auth.totp.updated" | "auth.totp.deleted" | "auth.key.created" | "auth.key.deleted" | "auth.service-account.created" | "auth.service-account.read" | "auth.service-account.updated" | "auth.service-account.deleted" | "auth.request.refused" | "patients.patient.created" | "patients.patient.read" | "patients.patient.updated" | "patients.patient.voided" | "patients.patient.restored" | "patients.patient.merged" | "patients.patient.unmerged" | "patients.allergy.created" | "patients.allergy.read" | "patients.allergy.updated" | "patients.condition.created" | "patients.condition.read" | "patients.condition.updated" | "patients.care-team.created" | "patients.care-team.read" | "patients.care-team.deleted" | "patients.break-glass.created" | "patients.break-glass.read" | "patients.search.read" | "patients.match.read" | "patients.import.started" | "patients.import.read" | "patients.import.ended" | "patients.export.started" | "patients.export.read" | "patients.request.refused" | "audit.event.read" | "audit.proof.read" | "audit.export.read" | "audit.stream.read" | "audit.access.read" | "audit.activity.read" | "audit.review.created" | "audit.review.read" | "audit.review.updated" | "audit.hold.created" | "audit.hold.read" | "audit.hold.deleted" | "audit.retention.applied" | "audit.verification.failed" | "audit.log.created" | "audit.request.refused" | "gateway.request.denied";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of events; of fewer than `limit`, of none even, where they name more than 200 charts, or take long to find */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["AuditEvent"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditEventsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEvent"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditExport: {
        parameters: {
            query?: {
                /** @description Create, read, update, delete, execute */
                action?: "C" | "R" | "U" | "D" | "E";
                /** @description Who did it */
                actorId?: string;
                /** @description What can be verified, or what people read */
                format?: "ndjson" | "csv";
                /** @description Occurred at or after */
                from?: string;
                ip?: string;
                method?: string;
                outcome?: "success" | "denied" | "failure";
                /** @description The whole path, without the query string */
                path?: string;
                /** @description Whose chart it was */
                patientId?: string;
                requestId?: string;
                /** @description Occurred before */
                to?: string;
                type?: "auth.user.created" | "auth.user.read" | "auth.user.updated" | "auth.session.started" | "auth.session.refreshed" | "auth.session.read" | "auth.session.ended" | "auth.session.failed" | "auth.password.updated" | "auth.password.requested" | "auth.password.reset" | "auth.password.failed" | "auth.totp.created" | "auth.totp.updated" | "auth.totp.deleted" | "auth.key.created" | "auth.key.deleted" | "auth.service-account.created" | "auth.service-account.read" | "auth.service-account.updated" | "auth.service-account.deleted" | "auth.request.refused" | "patients.patient.created" | "patients.patient.read" | "patients.patient.updated" | "patients.patient.voided" | "patients.patient.restored" | "patients.patient.merged" | "patients.patient.unmerged" | "patients.allergy.created" | "patients.allergy.read" | "patients.allergy.updated" | "patients.condition.created" | "patients.condition.read" | "patients.condition.updated" | "patients.care-team.created" | "patients.care-team.read" | "patients.care-team.deleted" | "patients.break-glass.created" | "patients.break-glass.read" | "patients.search.read" | "patients.match.read" | "patients.import.started" | "patients.import.read" | "patients.import.ended" | "patients.export.started" | "patients.export.read" | "patients.request.refused" | "audit.event.read" | "audit.proof.read" | "audit.export.read" | "audit.stream.read" | "audit.access.read" | "audit.activity.read" | "audit.review.created" | "audit.review.read" | "audit.review.updated" | "audit.hold.created" | "audit.hold.read" | "audit.hold.deleted" | "audit.retention.applied" | "audit.verification.failed" | "audit.log.created" | "audit.request.refused" | "gateway.request.denied";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description NDJSON, a line each: the format, events, gaps between them, checkpoints; the last one covers it all. CSV (RFC 4180), a row each: the names of the columns, events; lists are joined by spaces */
            200: {
                headers: {
                    /** @description Of CSV: the name of the file */
                    "Content-Disposition"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                    "text/csv; charset=utf-8": string;
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditHolds: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Items a page */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of holds */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Hold"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    putAuditHoldsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    reason: string;
                };
            };
        };
        responses: {
            /** @description There was a hold: it has this reason now */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hold"];
                };
            };
            /** @description The new hold */
            201: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Hold"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    deleteAuditHoldsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description name+id+key */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/plain; charset=utf-8": string;
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditPatientsIdAccesses: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Occurred at or after */
                from?: string;
                /** @description Items a page */
                limit?: number;
                /** @description Only those; `denied` are those that were kept out */
                outcome?: "success" | "denied" | "failure";
                /** @description Occurred before */
                to?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of accesses */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Access"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditProofConsistency: {
        parameters: {
            query: {
                /** @description Size of the older tree */
                from: number;
                /** @description Size of the newer tree; of the newest checkpoint if absent */
                to?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The proof */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Proof"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditProofInclusion: {
        parameters: {
            query: {
                /** @description Of the event */
                sequence: number;
                /** @description Of the tree; of the newest checkpoint if absent */
                size?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Hashes from the leaf to the root */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Proof"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditReviews: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                kind?: "denial" | "break-glass" | "manual";
                /** @description Items a page */
                limit?: number;
                state?: "open" | "justified" | "escalated";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of reviews; of fewer than `limit` where they name more than 200 charts */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Review"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuditReviews: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    eventId: string;
                    note?: string;
                };
            };
        };
        responses: {
            /** @description The review */
            201: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description Its path */
                    Location?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Review"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditReviewsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The review */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Review"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    patchAuditReviewsId: {
        parameters: {
            query?: never;
            header: {
                /** @description The `ETag` that was read */
                "If-Match": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Why */
                    note: string;
                    /** @enum {string} */
                    state: "justified" | "escalated";
                };
            };
        };
        responses: {
            /** @description The review in its new version */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Review"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its health */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogStatus"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuditStream: {
        parameters: {
            query?: {
                /** @description Create, read, update, delete, execute */
                action?: "C" | "R" | "U" | "D" | "E";
                /** @description Who did it */
                actorId?: string;
                /** @description Events after this one; in place of a Last-Event-ID. Without either, those from now on */
                afterSequence?: number;
                /** @description Occurred at or after */
                from?: string;
                ip?: string;
                method?: string;
                outcome?: "success" | "denied" | "failure";
                /** @description The whole path, without the query string */
                path?: string;
                /** @description Whose chart it was */
                patientId?: string;
                requestId?: string;
                /** @description Occurred before */
                to?: string;
                type?: "auth.user.created" | "auth.user.read" | "auth.user.updated" | "auth.session.started" | "auth.session.refreshed" | "auth.session.read" | "auth.session.ended" | "auth.session.failed" | "auth.password.updated" | "auth.password.requested" | "auth.password.reset" | "auth.password.failed" | "auth.totp.created" | "auth.totp.updated" | "auth.totp.deleted" | "auth.key.created" | "auth.key.deleted" | "auth.service-account.created" | "auth.service-account.read" | "auth.service-account.updated" | "auth.service-account.deleted" | "auth.request.refused" | "patients.patient.created" | "patients.patient.read" | "patients.patient.updated" | "patients.patient.voided" | "patients.patient.restored" | "patients.patient.merged" | "patients.patient.unmerged" | "patients.allergy.created" | "patients.allergy.read" | "patients.allergy.updated" | "patients.condition.created" | "patients.condition.read" | "patients.condition.updated" | "patients.care-team.created" | "patients.care-team.read" | "patients.care-team.deleted" | "patients.break-glass.created" | "patients.break-glass.read" | "patients.search.read" | "patients.match.read" | "patients.import.started" | "patients.import.read" | "patients.import.ended" | "patients.export.started" | "patients.export.read" | "patients.request.refused" | "audit.event.read" | "audit.proof.read" | "audit.export.read" | "audit.stream.read" | "audit.access.read" | "audit.activity.read" | "audit.review.created" | "audit.review.read" | "audit.review.updated" | "audit.hold.created" | "audit.hold.read" | "audit.hold.deleted" | "audit.retention.applied" | "audit.verification.failed" | "audit.log.created" | "audit.request.refused" | "gateway.request.denied";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Events with their sequence as id; a comment at least every 15 s; `event: expired` when the access token is, and then the end */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream; charset=utf-8": string;
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    "getAuditTileLevelTile*": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                level: number;
                /** @description x001/x234/067, or 067.p/112 */
                tile: string[];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The hashes */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthKeysRotate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key. The one before stays published until the last token that it signed has expired */
            201: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /**
                         * Format: date-time
                         * @description From then on tokens are signed with it
                         */
                        activeFrom: string;
                        /** @enum {string} */
                        algorithm: "ES256" | "RS256";
                        /** Format: date-time */
                        createdAt: string;
                        kid: string;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthLogin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: email */
                    email: string;
                    password: string;
                    /** @description Where a second factor is enrolled: its code, or a recovery code */
                    totp?: string;
                };
            };
        };
        responses: {
            /** @description Tokens */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthLogout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuthMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    patchAuthMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    fullName: string;
                };
            };
        };
        responses: {
            /** @description The account */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    currentPassword: string;
                    newPassword: string;
                };
            };
        };
        responses: {
            /** @description Changed */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthPasswordForgot: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: email */
                    email: string;
                };
            };
        };
        responses: {
            /** @description If there is such an account, a mail is on its way */
            202: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthPasswordReset: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    newPassword: string;
                    token: string;
                };
            };
        };
        responses: {
            /** @description Changed: sign in with it */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthRefresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    refreshToken: string;
                };
            };
        };
        responses: {
            /** @description A new pair */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        accessToken: string;
                        /** @description Seconds */
                        expiresIn: number;
                        refreshToken: string;
                        /** @enum {string} */
                        tokenType: "Bearer";
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthRegister: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: email */
                    email: string;
                    fullName: string;
                    password: string;
                };
            };
        };
        responses: {
            /** @description The account */
            201: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuthServiceAccounts: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Items a page */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of service accounts */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["ServiceAccount"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthServiceAccounts: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    name: string;
                    roles: ("admin" | "clinician" | "nurse" | "registrar" | "auditor")[];
                };
            };
        };
        responses: {
            /** @description The account and its secret */
            201: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        clientId: string;
                        /** @description Shown this once */
                        clientSecret: string;
                        /** Format: date-time */
                        createdAt: string;
                        /** Format: uuid */
                        id: string;
                        name: string;
                        roles: string[];
                        /**
                         * Format: date-time
                         * @description When its secret was made
                         */
                        rotatedAt: string;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    deleteAuthServiceAccountsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthServiceAccountsIdRotate: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account and its new secret */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        clientId: string;
                        /** @description Shown this once */
                        clientSecret: string;
                        /** Format: date-time */
                        createdAt: string;
                        /** Format: uuid */
                        id: string;
                        name: string;
                        roles: string[];
                        /**
                         * Format: date-time
                         * @description When its secret was made
                         */
                        rotatedAt: string;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuthSessions: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Items a page */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of sessions */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Session"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    deleteAuthSessionsId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    clientId: string;
                    clientSecret: string;
                };
            };
        };
        responses: {
            /** @description The token; there is no refresh token */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        accessToken: string;
                        /** @description Seconds */
                        expiresIn: number;
                        /** @enum {string} */
                        tokenType: "Bearer";
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Shown this once */
            201: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        otpauthUri: string;
                        /** @description A PNG of the URI as a QR code */
                        qrDataUri: string;
                        /** @description Each is good once instead of a code */
                        recoveryCodes: string[];
                        /** @description Base32 */
                        secret: string;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    deleteAuthTotp: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthTotpConfirm: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    totp: string;
                };
            };
        };
        responses: {
            /** @description Enrolled */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuthUsers: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                disabled?: boolean;
                email?: string;
                /** @description Items a page */
                limit?: number;
                /** @description Part of a name or an e-mail */
                q?: string;
                role?: "admin" | "clinician" | "nurse" | "registrar" | "auditor" | "patient";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of accounts */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["User"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthUsers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: email */
                    email: string;
                    fullName: string;
                    roles: ("admin" | "clinician" | "nurse" | "registrar" | "auditor")[];
                };
            };
        };
        responses: {
            /** @description The account and a first password, good for 72 hours and for choosing one's own */
            201: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        createdAt: string;
                        disabled: boolean;
                        /** Format: email */
                        email: string;
                        fullName: string;
                        /** Format: uuid */
                        id: string;
                        oneTimePassword: string;
                        /** Format: uuid */
                        patientId: string | null;
                        roles: ("admin" | "clinician" | "nurse" | "registrar" | "auditor" | "patient")[];
                        totpEnabled: boolean;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getAuthUsersId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    patchAuthUsersId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    disabled?: boolean;
                    fullName?: string;
                    roles?: ("admin" | "clinician" | "nurse" | "registrar" | "auditor")[];
                };
            };
        };
        responses: {
            /** @description The account */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    putAuthUsersIdPatient: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** Format: uuid */
                    patientId: string;
                };
            };
        };
        responses: {
            /** @description The account */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    deleteAuthUsersIdPatient: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Not linked */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postAuthUsersIdResetPassword: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A password, good for 72 hours and for choosing one's own */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        oneTimePassword: string;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    deleteAuthUsersIdSessions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ended */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    deleteAuthUsersIdTotp: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getPatients: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Items a page */
                limit?: number;
                status?: "active" | "inactive" | "deceased" | "voided" | "merged";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of charts */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["Patient"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatients: {
        parameters: {
            query?: {
                /** @description Create it even if it looks like a duplicate */
                force?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPatient"];
            };
        };
        responses: {
            /** @description The chart */
            201: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description Its path */
                    Location?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Patient"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getPatientsId: {
        parameters: {
            query?: never;
            header?: {
                /** @description What is there already, by its `ETag` */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The chart; one that was merged has the status `merged` and says in `mergedInto` where it is now */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Patient"];
                };
            };
            /** @description It is the version that `If-None-Match` names */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    putPatientsId: {
        parameters: {
            query?: never;
            header: {
                /** @description The `ETag` that was read */
                "If-Match": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPatient"];
            };
        };
        responses: {
            /** @description The chart in its new version */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Patient"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    patchPatientsId: {
        parameters: {
            query?: never;
            header: {
                /** @description The `ETag` that was read */
                "If-Match": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/merge-patch+json": {
                    /** @default [] */
                    addresses?: components["schemas"]["NewAddress"][] | null;
                    birthDate?: string | null;
                    /** @default [] */
                    contacts?: components["schemas"]["NewContact"][] | null;
                    /** @default null */
                    deathDate?: string | null;
                    /** @default null */
                    ethnicity?: string | null;
                    /** @default [] */
                    identifiers?: components["schemas"]["Identifier"][] | null;
                    /** @default null */
                    language?: string | null;
                    /** @default null */
                    maritalStatus?: string | null;
                    name?: {
                        family?: string | null;
                        given?: string[] | null;
                        /** @default null */
                        prefix?: string | null;
                        /** @default null */
                        suffix?: string | null;
                    } | null;
                    /** @default [] */
                    otherNames?: components["schemas"]["NewOtherName"][] | null;
                    /** @default null */
                    race?: string | null;
                    restricted?: boolean;
                    /** @enum {string|null} */
                    sex?: "male" | "female" | "other" | "unknown" | null;
                    /** @enum {string|null} */
                    status?: "active" | "inactive" | "deceased" | null;
                    /** @default [] */
                    telecom?: components["schemas"]["NewTelecom"][] | null;
                };
            };
        };
        responses: {
            /** @description The chart in its new version */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Patient"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getPatientsIdAllergies: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Items a page */
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of allergies */
            200: {
                headers: {
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["ClinicalItem"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsIdAllergies: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewClinicalItem"];
            };
        };
        responses: {
            /** @description The allergy */
            201: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description Its path */
                    Location?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClinicalItem"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    putPatientsIdAllergiesItemId: {
        parameters: {
            query?: never;
            header: {
                /** @description The `ETag` that was read */
                "If-Match": string;
            };
            path: {
                id: string;
                itemId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewClinicalItem"];
            };
        };
        responses: {
            /** @description The allergy in its new version */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClinicalItem"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsIdBreakGlass: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Why; an auditor reads it */
                    reason: string;
                };
            };
        };
        responses: {
            /** @description The grant: until then the chart opens to this clinician */
            201: {
                headers: {
                    /** @description Its id */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: date-time */
                        expiresAt: string;
                        /** Format: uuid */
                        grantId: string;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getPatientsIdCareTeam: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Items a page */
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of members */
            200: {
                headers: {
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["CareTeamMember"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsIdCareTeam: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The first day, in UTC; today unless said otherwise */
                    from?: string;
                    /** @description What they are to the patient, in words */
                    role: string;
                    /**
                     * @description The last day; null while it is open
                     * @default null
                     */
                    to?: string | null;
                    /** Format: uuid */
                    userId: string;
                };
            };
        };
        responses: {
            /** @description The member */
            201: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CareTeamMember"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    deletePatientsIdCareTeamMemberId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                memberId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed; that they were of it stays on record */
            204: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getPatientsIdConditions: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Items a page */
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of conditions */
            200: {
                headers: {
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["ClinicalItem"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsIdConditions: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewClinicalItem"];
            };
        };
        responses: {
            /** @description The condition */
            201: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description Its path */
                    Location?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClinicalItem"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    putPatientsIdConditionsItemId: {
        parameters: {
            query?: never;
            header: {
                /** @description The `ETag` that was read */
                "If-Match": string;
            };
            path: {
                id: string;
                itemId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewClinicalItem"];
            };
        };
        responses: {
            /** @description The condition in its new version */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClinicalItem"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getPatientsIdHistory: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before */
                cursor?: string;
                /** @description Items a page */
                limit?: number;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of versions */
            200: {
                headers: {
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["HistoryEntry"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getPatientsIdHistoryVersion: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The chart in that version */
            200: {
                headers: {
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Patient"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getPatientsIdHistoryVersionDiff: {
        parameters: {
            query?: {
                /** @description The version to compare with; the one before where it is left out */
                from?: number;
            };
            header?: never;
            path: {
                id: string;
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where they differ */
            200: {
                headers: {
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        changes: {
                            after: unknown;
                            before: unknown;
                            /** @description Dotted, as in `addresses.0.city` */
                            path: string;
                        }[];
                        /** @description null: the chart did not exist */
                        from: number | null;
                        to: number;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsIdMerge: {
        parameters: {
            query?: never;
            header: {
                /** @description The `ETag` that was read */
                "If-Match": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Format: uuid
                     * @description The chart that becomes part of this one
                     */
                    sourceId: string;
                    /** @description The version of it that was read */
                    sourceVersion: number;
                };
            };
        };
        responses: {
            /** @description This chart, with all that the other had */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Patient"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsIdRestore: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    reason: string;
                };
            };
        };
        responses: {
            /** @description The chart */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Patient"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsIdUnmerge: {
        parameters: {
            query?: never;
            header: {
                /** @description The `ETag` that was read */
                "If-Match": string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Format: uuid
                     * @description The chart that was merged into this one
                     */
                    sourceId: string;
                    /** @description The version of it that was read */
                    sourceVersion?: number;
                };
            };
        };
        responses: {
            /** @description This chart, as it was before; the other one is a chart again */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Patient"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsIdVoid: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    reason: string;
                };
            };
        };
        responses: {
            /** @description The chart, voided */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Patient"];
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getPatientsBreakGlassGrantId: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                grantId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The grant */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: uuid */
                        clinicianId: string;
                        clinicianName: string;
                        /** Format: date-time */
                        createdAt: string;
                        /** Format: date-time */
                        expiresAt: string;
                        /** Format: uuid */
                        grantId: string;
                        /** Format: uuid */
                        patientId: string;
                        reason: string;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getPatientsExport: {
        parameters: {
            query?: {
                /** @description Of CSV: which of Synthea’s files */
                file?: "patients" | "allergies" | "conditions";
                format?: "ndjson" | "csv";
                /** @description Voided charts leave only where this says so */
                status?: "active" | "inactive" | "deceased" | "voided";
                /** @description Changed at or after; where allergies and conditions are exported, so are changes of those */
                updatedSince?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description NDJSON, a chart a line, as imports take it; or CSV (RFC 4180) in the columns of Synthea */
            200: {
                headers: {
                    /** @description Of CSV: the name of the file */
                    "Content-Disposition"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                    "text/csv; charset=utf-8": string;
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsImport: {
        parameters: {
            query?: {
                /** @description Which of Synthea’s files it is, where the header doesn’t say: allergies and conditions have the same */
                file?: "patients" | "allergies" | "conditions";
                /** @description Where the ids of the rows come from; else `synthea` for CSV, `fhir` for FHIR, `caregate` for charts */
                source?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/fhir+ndjson": string;
                "application/x-ndjson": string;
                "text/csv": string;
            };
        };
        responses: {
            /** @description NDJSON, as rows are committed: `{line, outcome: created|present|refused, id?, errors?}` each, and at the end `{done, created, present, refused}`, with `code` and `detail` where it was stopped */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsMatch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @default [] */
                    addresses?: components["schemas"]["NewAddress"][];
                    birthDate: string;
                    /** @default [] */
                    contacts?: components["schemas"]["NewContact"][];
                    createdAt?: string;
                    /** @default null */
                    deathDate?: string | null;
                    /** @default null */
                    ethnicity?: string | null;
                    /**
                     * Format: uuid
                     * @description Of a chart that was read: it is not looked for itself
                     */
                    id?: string;
                    /** @default [] */
                    identifiers?: components["schemas"]["Identifier"][];
                    /** @default null */
                    language?: string | null;
                    /** @default null */
                    maritalStatus?: string | null;
                    mrn?: string;
                    name: components["schemas"]["NewHumanName"];
                    /** @default [] */
                    otherNames?: components["schemas"]["NewOtherName"][];
                    /** @default null */
                    race?: string | null;
                    /** @description Whether its care team alone opens it, others by break-glass */
                    restricted?: boolean;
                    /** @enum {string} */
                    sex: "male" | "female" | "other" | "unknown";
                    /** @enum {string} */
                    status?: "active" | "inactive" | "deceased";
                    /** @default [] */
                    telecom?: components["schemas"]["NewTelecom"][];
                    updatedAt?: string;
                    version?: number;
                };
            };
        };
        responses: {
            /** @description The charts; none where nothing is like it */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @description The likeliest first, 20 at most */
                        items: {
                            /** @enum {string} */
                            grade: "certain" | "probable" | "possible";
                            /** Format: uuid */
                            id: string;
                            /** @description What the score is made of, without any value */
                            reasons: {
                                field: string;
                                /** @description How the two stand to each other in it */
                                found: string;
                                /** @description Bits for one person, negative for two */
                                weight: number;
                            }[];
                            /** @description How likely it is one person */
                            score: number;
                        }[];
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    postPatientsSearch: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    birthDate?: string;
                    /** @description `nextCursor` of the page before */
                    cursor?: string;
                    /** @description The value of an identifier of any system, in full; only letters and digits count, but `source:*` exactly */
                    identifier?: string;
                    /**
                     * @description Items a page
                     * @default 50
                     */
                    limit?: number;
                    mrn?: string;
                    phone?: string;
                    /** @description Names or their beginnings, in any order; case, accents and one wrong letter a word do not matter */
                    q?: string;
                    /** @enum {string} */
                    status?: "active" | "inactive" | "deceased" | "voided" | "merged";
                };
            };
        };
        responses: {
            /** @description A page of charts */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        items: components["schemas"]["FoundPatient"][];
                        nextCursor: string | null;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getConsole: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The page */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/html; charset=utf-8": string;
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getConsoleAssetsNameCss: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file, which never changes under its name */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/css; charset=utf-8": string;
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getConsoleAssetsNameJs: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file, which never changes under its name */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "text/javascript; charset=utf-8": string;
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
    getFhirR4AllergyIntolerance: {
        parameters: {
            query?: {
                /** @description Resources a page; 50 unless said, 200 at most */
                _count?: number;
                /** @description Of a link to another page: it stands for the whole search */
                _cursor?: string;
                /** @description json, which is all there is */
                _format?: string;
                /** @description Required. Whose: an id, or `Patient/` and an id */
                patient?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A Bundle of them: a page */
            200: {
                headers: {
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Bundle";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    postFhirR4AllergyIntolerance_search: {
        parameters: {
            query?: {
                /** @description json, which is all there is */
                _format?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    /** @description Resources a page; 50 unless said, 200 at most */
                    _count?: number;
                    /** @description Of a link to another page: it stands for the whole search */
                    _cursor?: string;
                    /** @description A code, or system|code */
                    code?: string;
                    /**
                     * Format: uuid
                     * @description Required. Whose: an id, or `Patient/` and an id
                     */
                    patient?: string;
                };
            };
        };
        responses: {
            /** @description A Bundle of them: a page */
            200: {
                headers: {
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Bundle";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    getFhirR4AllergyIntoleranceItemId: {
        parameters: {
            query?: {
                /** @description json, which is all there is */
                _format?: string;
            };
            header?: never;
            path: {
                itemId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The resource */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description When that version was made */
                    "Last-Modified"?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "AllergyIntolerance";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    getFhirR4AuditEvent: {
        parameters: {
            query?: {
                /** @description Resources a page; 50 unless said, 200 at most */
                _count?: number;
                /** @description Of a link to another page: it stands for the whole search */
                _cursor?: string;
                /** @description json, which is all there is */
                _format?: string;
                /** @description C, R, U, D or E */
                action?: "C" | "R" | "U" | "D" | "E";
                /** @description The id of the user who did it */
                agent?: string;
                /** @description When it occurred: eq, ge, gt, le, lt, sa, eb; given twice: both hold */
                date?: string | string[];
                /** @description `Patient/` and an id: whose chart */
                entity?: string;
                /** @description 0 success, 4 denied, 8 failure */
                outcome?: "0" | "4" | "8";
                /** @description Whose chart: an id, or `Patient/` and an id */
                patient?: string;
                /** @description The type of event, as in `patients.patient.read` */
                subtype?: "auth.user.created" | "auth.user.read" | "auth.user.updated" | "auth.session.started" | "auth.session.refreshed" | "auth.session.read" | "auth.session.ended" | "auth.session.failed" | "auth.password.updated" | "auth.password.requested" | "auth.password.reset" | "auth.password.failed" | "auth.totp.created" | "auth.totp.updated" | "auth.totp.deleted" | "auth.key.created" | "auth.key.deleted" | "auth.service-account.created" | "auth.service-account.read" | "auth.service-account.updated" | "auth.service-account.deleted" | "auth.request.refused" | "patients.patient.created" | "patients.patient.read" | "patients.patient.updated" | "patients.patient.voided" | "patients.patient.restored" | "patients.patient.merged" | "patients.patient.unmerged" | "patients.allergy.created" | "patients.allergy.read" | "patients.allergy.updated" | "patients.condition.created" | "patients.condition.read" | "patients.condition.updated" | "patients.care-team.created" | "patients.care-team.read" | "patients.care-team.deleted" | "patients.break-glass.created" | "patients.break-glass.read" | "patients.search.read" | "patients.match.read" | "patients.import.started" | "patients.import.read" | "patients.import.ended" | "patients.export.started" | "patients.export.read" | "patients.request.refused" | "audit.event.read" | "audit.proof.read" | "audit.export.read" | "audit.stream.read" | "audit.access.read" | "audit.activity.read" | "audit.review.created" | "audit.review.read" | "audit.review.updated" | "audit.hold.created" | "audit.hold.read" | "audit.hold.deleted" | "audit.retention.applied" | "audit.verification.failed" | "audit.log.created" | "audit.request.refused" | "gateway.request.denied";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A Bundle of them: a page */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Bundle";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    postFhirR4AuditEvent_search: {
        parameters: {
            query?: {
                /** @description json, which is all there is */
                _format?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    /** @description Resources a page; 50 unless said, 200 at most */
                    _count?: number;
                    /** @description Of a link to another page: it stands for the whole search */
                    _cursor?: string;
                    /**
                     * @description C, R, U, D or E
                     * @enum {string}
                     */
                    action?: "C" | "R" | "U" | "D" | "E";
                    /** @description The id of the user who did it */
                    agent?: string;
                    /** @description When it occurred: eq, ge, gt, le, lt, sa, eb; given twice: both hold */
                    date?: string | string[];
                    /**
                     * Format: uuid
                     * @description `Patient/` and an id: whose chart
                     */
                    entity?: string;
                    /**
                     * @description 0 success, 4 denied, 8 failure
                     * @enum {string}
                     */
                    outcome?: "0" | "4" | "8";
                    /**
                     * Format: uuid
                     * @description Whose chart: an id, or `Patient/` and an id
                     */
                    patient?: string;
                    /**
                     * @description The type of event, as in `patients.patient.read`
                     * @enum {string}
                     */
                    subtype?: "auth.user.created" | "auth.user.read" | "auth.user.updated" | "auth.session.started" | "auth.session.refreshed" | "auth.session.read" | "auth.session.ended" | "auth.session.failed" | "auth.password.updated" | "auth.password.requested" | "auth.password.reset" | "auth.password.failed" | "auth.totp.created" | "auth.totp.updated" | "auth.totp.deleted" | "auth.key.created" | "auth.key.deleted" | "auth.service-account.created" | "auth.service-account.read" | "auth.service-account.updated" | "auth.service-account.deleted" | "auth.request.refused" | "patients.patient.created" | "patients.patient.read" | "patients.patient.updated" | "patients.patient.voided" | "patients.patient.restored" | "patients.patient.merged" | "patients.patient.unmerged" | "patients.allergy.created" | "patients.allergy.read" | "patients.allergy.updated" | "patients.condition.created" | "patients.condition.read" | "patients.condition.updated" | "patients.care-team.created" | "patients.care-team.read" | "patients.care-team.deleted" | "patients.break-glass.created" | "patients.break-glass.read" | "patients.search.read" | "patients.match.read" | "patients.import.started" | "patients.import.read" | "patients.import.ended" | "patients.export.started" | "patients.export.read" | "patients.request.refused" | "audit.event.read" | "audit.proof.read" | "audit.export.read" | "audit.stream.read" | "audit.access.read" | "audit.activity.read" | "audit.review.created" | "audit.review.read" | "audit.review.updated" | "audit.hold.created" | "audit.hold.read" | "audit.hold.deleted" | "audit.retention.applied" | "audit.verification.failed" | "audit.log.created" | "audit.request.refused" | "gateway.request.denied";
                };
            };
        };
        responses: {
            /** @description A Bundle of them: a page */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Bundle";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    getFhirR4AuditEventId: {
        parameters: {
            query?: {
                /** @description json, which is all there is */
                _format?: string;
            };
            header?: never;
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "AuditEvent";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    getFhirR4Condition: {
        parameters: {
            query?: {
                /** @description Resources a page; 50 unless said, 200 at most */
                _count?: number;
                /** @description Of a link to another page: it stands for the whole search */
                _cursor?: string;
                /** @description json, which is all there is */
                _format?: string;
                /** @description Required. Whose: an id, or `Patient/` and an id */
                patient?: string;
                /** @description Required. Whose: an id, or `Patient/` and an id */
                subject?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A Bundle of them: a page */
            200: {
                headers: {
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Bundle";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    postFhirR4Condition_search: {
        parameters: {
            query?: {
                /** @description json, which is all there is */
                _format?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    /** @description Resources a page; 50 unless said, 200 at most */
                    _count?: number;
                    /** @description Of a link to another page: it stands for the whole search */
                    _cursor?: string;
                    /** @description A code, or system|code */
                    code?: string;
                    /**
                     * Format: uuid
                     * @description Required. Whose: an id, or `Patient/` and an id
                     */
                    patient?: string;
                    /**
                     * Format: uuid
                     * @description Required. Whose: an id, or `Patient/` and an id
                     */
                    subject?: string;
                };
            };
        };
        responses: {
            /** @description A Bundle of them: a page */
            200: {
                headers: {
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Bundle";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    getFhirR4ConditionItemId: {
        parameters: {
            query?: {
                /** @description json, which is all there is */
                _format?: string;
            };
            header?: never;
            path: {
                itemId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The resource */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description When that version was made */
                    "Last-Modified"?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Condition";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    getFhirR4Metadata: {
        parameters: {
            query?: {
                /** @description json, which is all there is */
                _format?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "CapabilityStatement";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    getFhirR4Patient: {
        parameters: {
            query?: {
                /** @description Resources a page; 50 unless said, 200 at most */
                _count?: number;
                /** @description Of a link to another page: it stands for the whole search */
                _cursor?: string;
                /** @description json, which is all there is */
                _format?: string;
                /** @description The id of a chart */
                _id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A Bundle of them: a page */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Bundle";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    postFhirR4Patient_search: {
        parameters: {
            query?: {
                /** @description json, which is all there is */
                _format?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    /** @description Resources a page; 50 unless said, 200 at most */
                    _count?: number;
                    /** @description Of a link to another page: it stands for the whole search */
                    _cursor?: string;
                    /**
                     * Format: uuid
                     * @description The id of a chart
                     */
                    _id?: string;
                    /** @description eq, ge, gt, le, lt, sa, eb; given twice: both hold */
                    birthdate?: string | string[];
                    /** @description The beginning of a family name, without case and accents */
                    family?: string;
                    /** @description The beginning of a given name, without case and accents; all that are named */
                    given?: string | string[];
                    /** @description A number in full: system|value, or a value of any system */
                    identifier?: string;
                    /** @description Names or their beginnings, in any order; case, accents and one wrong letter a word do not matter */
                    name?: string;
                    /** @description A phone number, however it is written */
                    phone?: string;
                };
            };
        };
        responses: {
            /** @description A Bundle of them: a page */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Bundle";
                    };
                };
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    getFhirR4PatientId: {
        parameters: {
            query?: {
                /** @description json, which is all there is */
                _format?: string;
            };
            header?: {
                /** @description What is there already, by its `ETag` */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The resource */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description When that version was made */
                    "Last-Modified"?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Patient";
                    };
                };
            };
            /** @description It is the version that `If-None-Match` names */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    getFhirR4PatientId_historyVersion: {
        parameters: {
            query?: {
                /** @description json, which is all there is */
                _format?: string;
            };
            header?: {
                /** @description What is there already, by its `ETag` */
                "If-None-Match"?: string;
            };
            path: {
                id: string;
                version: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The resource */
            200: {
                headers: {
                    /** @description The version, for If-Match */
                    ETag?: string;
                    /** @description When that version was made */
                    "Last-Modified"?: string;
                    /** @description The grant, where a broken glass opened the chart */
                    "X-Break-Glass"?: string;
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/fhir+json": {
                        /** @enum {string} */
                        resourceType: "Patient";
                    };
                };
            };
            /** @description It is the version that `If-None-Match` names */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["fhir.400.bad_request"];
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state; 503 with the same body when no service can be reached */
            200: {
                headers: {
                    /** @description Id of the request, in every log line and event */
                    "X-Request-Id"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        services: {
                            [key: string]: {
                                instances: number;
                                /** @enum {string} */
                                status: "healthy" | "degraded" | "unhealthy";
                            };
                        };
                        /** @enum {string} */
                        status: "healthy" | "degraded" | "unhealthy";
                        version: string;
                    };
                };
            };
            default: components["responses"]["400.bad_request"];
        };
    };
}
