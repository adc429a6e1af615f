-- The pause of wrk.py, in milliseconds.
function init(arguments)
    pause = tonumber(arguments[1])
end

function delay()
    return pause
end
