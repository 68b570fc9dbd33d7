# Action Cable on Puma, without the rest of Rails: rackup file for actioncable.test.js. APP_NAME is who it says it is.

require "logger"
require "active_support"
require "active_support/core_ext"
require "action_cable"

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    identified_by :user

    def connect
      self.user = request.params[:user]
      reject_unauthorized_connection unless user
    end
  end

  class Channel < ActionCable::Channel::Base
  end
end

class RoomChannel < ApplicationCable::Channel
  def subscribed
    if params[:room] == "locked"
      reject
    else
      stream_from "room_#{params[:room]}"
    end
  end

  def who
    transmit({ app: ENV.fetch("APP_NAME"), user: user, ip: connection.env["HTTP_X_FORWARDED_FOR"] })
  end

  def say(data)
    ActionCable.server.broadcast("room_#{params[:room]}", { user: user, text: data["text"] })
  end
end

ActionCable.server.config.tap do |config|
  config.logger = Logger.new($stderr, level: Logger::ERROR)
  config.cable = { "adapter" => "async" }
  config.connection_class = -> { ApplicationCable::Connection }
  config.disable_request_forgery_protection = ENV["ANY_ORIGIN"] == "1"
end

map("/cable") { run ActionCable.server }
